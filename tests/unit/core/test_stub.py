"""The typed stub, the re-export and the reference name exactly what the native module has."""

import ast
import inspect
from pathlib import Path

import pytest

from immuni import _core
from immuni._core import _native, reference


def functions_in(path: Path) -> dict[str, ast.FunctionDef]:
    """Return the public functions that a source file defines, by name."""
    defined = ast.parse(path.read_text(encoding="utf-8")).body
    functions = [node for node in defined if isinstance(node, ast.FunctionDef)]
    return {node.name: node for node in functions if not node.name.startswith("_")}


STUBBED = functions_in(Path(_core.__file__).with_name("_native.pyi"))
REFERENCE = functions_in(Path(reference.__file__))


def test_the_stub_names_exactly_the_native_functions() -> None:
    assert set(STUBBED) == {name for name in dir(_native) if not name.startswith("_")}


def test_the_package_passes_on_exactly_the_native_functions() -> None:
    assert sorted(_core.__all__) == sorted(_native.__all__) == sorted(STUBBED)
    assert all(getattr(_core, name) is getattr(_native, name) for name in STUBBED)


@pytest.mark.parametrize("name", STUBBED)
def test_native_functions_take_the_parameters_of_the_stub(name: str) -> None:
    stubbed = [argument.arg for argument in STUBBED[name].args.args]

    assert list(inspect.signature(getattr(_native, name)).parameters) == stubbed


def test_the_reference_has_the_signatures_of_the_stub() -> None:
    assert signatures(REFERENCE) == signatures(STUBBED)


def signatures(functions: dict[str, ast.FunctionDef]) -> dict[str, tuple[str, str]]:
    return {
        name: (ast.unparse(node.args), ast.unparse(node.returns or ast.Constant(value=None)))
        for name, node in functions.items()
    }


@pytest.mark.parametrize("name", STUBBED)
def test_every_native_function_says_what_it_does(name: str) -> None:
    assert getattr(_native, name).__doc__
