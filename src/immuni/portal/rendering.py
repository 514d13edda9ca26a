"""From a template to a page in the reader's language."""

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from immuni.portal.assets import Assets
from immuni.portal.language import LANGUAGES, Language, language_of, preferred_language
from immuni.portal.sessions import Session
from immuni.portal.site import Site


class Pages:
    """All templates in all languages, compiled once."""

    def __init__(self, site: Site, assets: Assets) -> None:
        """Read the catalogues and prepare the templates."""
        self._environments = {
            code: _environment(language_of(code), site, assets) for code in LANGUAGES
        }

    def render(
        self,
        request: Request,
        template: str,
        *,
        session: Session | None = None,
        status: int = 200,
        **values: object,
    ) -> HTMLResponse:
        """Return a page.

        Args:
            request: Tells the language.
            template: The name of its file.
            session: Who is signed in; their name and the way out stand at the top.
            status: The HTTP status.
            values: What the template shows.
        """
        code = preferred_language(request.headers.get("accept-language", ""))
        page = self._environments[code].get_template(template).render(session=session, **values)
        return HTMLResponse(page, status_code=status)


def _environment(language: Language, site: Site, assets: Assets) -> Environment:
    environment = Environment(
        loader=PackageLoader("immuni.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # The extension adds this method to the environment, so its type does not know it.
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        language.catalogue, newstyle=True
    )
    environment.globals.update(language=language, link=site.link, asset=assets.url)
    return environment
