"""How the documentation is built: ``make docs``."""

import inspect
import pkgutil
from enum import Enum
from importlib import import_module
from importlib.metadata import version as version_of

import msgspec
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

project = "immuni"
author = "The immuni project"
copyright = "The immuni project, AGPL-3.0-or-later"
version = release = version_of("immuni")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "README.md"]  # the index includes it
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

# The project's docstrings write code between single backticks.
default_role = "code"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_use_ivar = True
napoleon_attr_annotations = False  # the signature has them
napoleon_custom_sections = ["Layout", "Privacy", "Source", "Complexity"]
# Types of other projects are named in signatures, not documented here.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r".*")]

PACKAGES = (
    "immuni.api",
    "immuni.ble",
    "immuni.crypto",
    "immuni.device",
    "immuni.export",
    "immuni.framework",
    "immuni.keys",
    "immuni.matching",
    "immuni.otp",
    "immuni.risk",
    "immuni.settings",
)

html_theme = "furo"
html_title = "immuni"
html_show_sourcelink = False


LONGEST_VALUE = 120
"""Of a constant that is shown beside its name; a longer one would fill a phone's screen."""
HIDE_VALUE = ":meta hide-value:"


def document_where_imported(_app: Sphinx) -> None:
    """Let each package show the constants and types that it takes from its modules.

    Autodoc looks for their docstrings where they are imported, and they stand where they are
    assigned.
    """
    for name in PACKAGES:
        package = import_module(name)
        face = ModuleAnalyzer.for_module(name)
        face.analyze()
        for module in pkgutil.iter_modules(package.__path__, f"{name}."):
            comments = ModuleAnalyzer.for_module(module.name).find_attr_docs()
            for (scope, assigned), text in comments.items():
                if not scope and assigned in package.__all__:
                    is_long = len(repr(getattr(package, assigned))) > LONGEST_VALUE
                    face.attr_docs[scope, assigned] = [
                        *text,
                        *([HIDE_VALUE, ""] if is_long else []),
                    ]


def show_members_of_enums(
    _app: Sphinx, _what: str, _name: str, value: object, *_: object
) -> bool | None:
    """Show the members of enumerations although they have no docstrings."""
    return False if isinstance(value, Enum) else None


def keep_colons(
    _app: Sphinx, what: str, _name: str, value: object, _options: object, lines: list[str]
) -> None:
    """Keep docstrings of properties whole: Napoleon takes what precedes a colon for a type."""
    if what == "property":
        lines[:] = (inspect.getdoc(value) or "").splitlines()


def plain_signature(
    _app: Sphinx, _what: str, _name: str, value: object, _options: object, *_told: str | None
) -> tuple[str, str | None] | None:
    """Leave the rules of members out of the signatures of structs, and those of protocols away."""
    if isinstance(value, type) and issubclass(value, msgspec.Struct):
        return f"(*, {', '.join(value.__struct_fields__)})" if value.__struct_fields__ else "", None
    return ("", None) if getattr(value, "_is_protocol", False) else None


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("builder-inited", document_where_imported)
    app.connect("autodoc-skip-member", show_members_of_enums)
    app.connect("autodoc-process-signature", plain_signature)
    app.connect("autodoc-process-docstring", keep_colons, priority=900)
