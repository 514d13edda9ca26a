"""The migrations of the portal."""

from importlib import import_module
from pathlib import Path

from immuni.portal.migrations import versions


def test_the_migrations_are_one_chain_in_the_order_of_their_names() -> None:
    files = sorted(Path(str(versions.__file__)).parent.glob("v*.py"))
    modules = [import_module(f"{versions.__name__}.{file.stem}") for file in files]

    assert [module.revision for module in modules] == [file.stem[1:5] for file in files]
    assert [module.down_revision for module in modules] == [
        None,
        *(module.revision for module in modules[:-1]),
    ]
