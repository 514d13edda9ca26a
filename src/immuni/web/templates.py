"""Templates of pages, in one language each.

Beside the package's face: processes without pages need not load the template engine.
"""

from gettext import NullTranslations

from jinja2 import Environment, PackageLoader, StrictUndefined


def templates_of(package: str, catalogue: NullTranslations) -> Environment:
    """Return the templates of a package; unknown names and unescaped text are refused.

    Args:
        package: Holds ``templates``.
        catalogue: Translates what they say.
    """
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # The extension adds this method to the environment, so its type does not know it.
    install = environment.install_gettext_translations  # type: ignore[attr-defined]
    install(catalogue, newstyle=True)
    return environment
