"""From a template to a page in the reader's language."""

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse

from immuni.portal.language import LANGUAGES, Language, language_of, preferred_language
from immuni.portal.menu import menu_of
from immuni.portal.signing_in.session import Session
from immuni.portal.site import Site
from immuni.web.static_files import StaticFiles
from immuni.web.templates import templates_of


class Pages:
    """All templates in all languages, compiled once."""

    def __init__(self, site: Site, files: StaticFiles) -> None:
        """Read the catalogues and prepare the templates."""
        self._environments = {
            code: _environment(language_of(code), site, files) for code in LANGUAGES
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
        page = (
            self._environments[code]
            .get_template(template)
            .render(
                session=session,
                menu=menu_of(session.account) if session and session.whole else (),
                path=request.url.path,
                **values,
            )
        )
        return HTMLResponse(page, status_code=status)


def _environment(language: Language, site: Site, files: StaticFiles) -> Environment:
    environment = templates_of("immuni.portal", language.catalogue)
    environment.globals.update(
        language=language,
        link=site.link,
        asset=lambda name: site.link(files.marked_path(name)),
    )
    return environment
