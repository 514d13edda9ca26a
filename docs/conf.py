"""How the documentation is built: ``make docs``."""

from importlib.metadata import version as version_of

project = "immuni"
author = "The immuni project"
copyright = "The immuni project, AGPL-3.0-or-later"
version = release = version_of("immuni")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_custom_sections = ["Layout", "Privacy", "Source", "Complexity"]
# Types of other projects are named in signatures, not documented here.
nitpicky = True
nitpick_ignore_regex = [("py:.*", r".*")]

html_theme = "furo"
html_title = "immuni"
html_show_sourcelink = False
