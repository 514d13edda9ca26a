"""The typed stub, the re-export and the reference name exactly what the native module has."""

import ast
import inspect
from operator import attrgetter
from pathlib import Path

import pytest

from immuni import _core
from immuni._core import _native, reference


def functions_in(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the public functions and methods that a source file defines, by name."""
    defined = ast.parse(path.read_text(encoding="utf-8")).body
    bodies = {"": defined} | {
        f"{node.name}.": node.body for node in defined if isinstance(node, ast.ClassDef)
    }
    return {
        prefix + node.name: node
        for prefix, body in bodies.items()
        for node in body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


# The protobuf library is the reference for its messages; `tests.properties.export` compares them.
ELSEWHERE = {"parse_export", "serialise_keys"}
# Of readable Python nobody wants to know how little memory it takes.
NATIVE_ALONE = {"Index.size"}
ERRORS = {"MalformedMessageError"}
CLASSES = {"Index"}
STUBBED = functions_in(Path(_core.__file__).with_name("_native.pyi"))
METHODS = {name for name in STUBBED if "." in name}
FUNCTIONS = STUBBED.keys() - METHODS
REFERENCE = functions_in(Path(reference.__file__))


def test_the_stub_names_exactly_the_native_functions() -> None:
    public = {name for name in dir(_native) if not name.startswith("_")}

    methods = {f"{kind}.{name}" for kind in CLASSES for name in vars(getattr(_native, kind))}

    assert public == FUNCTIONS | CLASSES | ERRORS
    assert {name for name in methods if "._" not in name} == METHODS


def test_the_package_passes_on_exactly_the_native_functions() -> None:
    assert (
        sorted(_core.__all__) == sorted(_native.__all__) == sorted([*FUNCTIONS, *CLASSES, *ERRORS])
    )
    assert all(getattr(_core, name) is getattr(_native, name) for name in _core.__all__)


@pytest.mark.parametrize("name", STUBBED)
def test_native_functions_take_the_parameters_of_the_stub(name: str) -> None:
    stubbed = [argument.arg for argument in STUBBED[name].args.args]

    assert list(inspect.signature(attrgetter(name)(_native)).parameters) == stubbed


def test_the_reference_has_the_signatures_of_the_stub() -> None:
    mirrored = {
        name: node for name, node in STUBBED.items() if name not in ELSEWHERE | NATIVE_ALONE
    }

    assert signatures(REFERENCE) == signatures(mirrored)


def test_the_methods_of_the_reference_take_what_those_of_the_stub_take() -> None:
    # Natively whatever shows its memory is taken, which readable Python cannot be said of.
    assert names_and_defaults(REFERENCE) == names_and_defaults(STUBBED)


def names_and_defaults(functions: dict[str, ast.FunctionDef]) -> dict[str, tuple[object, ...]]:
    return {
        name: (
            [argument.arg for argument in functions[name].args.args],
            [ast.unparse(default) for default in functions[name].args.defaults],
        )
        for name in functions.keys() & METHODS - NATIVE_ALONE
    }


NOTHING = ast.Constant(value=None)


def signatures(functions: dict[str, ast.FunctionDef]) -> dict[str, tuple[str, str]]:
    return {
        # The types of columns are quoted where Python 3.11 could not evaluate them.
        name: (ast.unparse(node.args).replace("'", ""), ast.unparse(node.returns or NOTHING))
        for name, node in functions.items()
        if name not in METHODS
    }


def test_errors_of_the_native_module_are_value_errors_in_the_stub_and_in_truth() -> None:
    assert issubclass(_native.MalformedMessageError, ValueError)


@pytest.mark.parametrize("name", STUBBED)
def test_every_native_function_says_what_it_does(name: str) -> None:
    assert attrgetter(name)(_native).__doc__
