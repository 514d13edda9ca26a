"""From a template to a page in the reader's language."""

from collections.abc import Sequence

from jinja2 import Environment
from jinja2.environment import TemplateModule
from starlette.requests import Request
from starlette.responses import HTMLResponse

from immuni.portal.door import UNFINISHED
from immuni.portal.language import LANGUAGES, Language, language_of
from immuni.portal.menu import insights_of, menu_of
from immuni.portal.oidc.providers import Provider
from immuni.portal.preferences import page_language
from immuni.portal.signing_in.session import Session
from immuni.portal.site import Site
from immuni.web.static_files import StaticFiles
from immuni.web.templates import templates_of


class Pages:
    """All templates in all languages, compiled once."""

    def __init__(
        self,
        site: Site,
        files: StaticFiles,
        providers: Sequence[Provider] = (),
        *,
        insights_url: str = "",
    ) -> None:
        """Read the catalogues and prepare the templates.

        Args:
            site: Where browsers reach the portal.
            files: Styles, scripts, pictures.
            providers: With whom people may sign in.
            insights_url: Where insights are, for those who may see totals; empty for nowhere.
        """
        self._site = site
        self._insights_url = insights_url
        self._environments = {
            code: _environment(language_of(code), site, files) for code in LANGUAGES
        }
        for environment in self._environments.values():
            environment.globals.update(
                languages=LANGUAGES, spoken_in=self._spoken_in, providers=providers
            )

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
            request: Tells the language, and where to come back to when another one is chosen.
            template: The name of its file.
            session: Who is signed in; their name and the way out stand at the top.
            status: The HTTP status.
            values: What the template shows.
        """
        code = page_language(request, self._site)
        page = (
            self._environments[code]
            .get_template(template)
            .render(
                session=session,
                menu=menu_of(session.account) if session and session.whole else (),
                insights=insights_of(session.account, self._insights_url)
                if session and session.whole
                else "",
                path=request.url.path,
                # Where a form was sent to there need not be a page.
                here=request.url.path if request.method == "GET" else "/",
                unfinished=request.method == "GET" and UNFINISHED in request.query_params,
                **values,
            )
        )
        return HTMLResponse(page, status_code=int(status))

    def _spoken_in(self, code: str) -> TemplateModule:
        """Return what is said on the phone, in one language whatever that of the page."""
        return self._environments[code].get_template("spoken.html").module


def _environment(language: Language, site: Site, files: StaticFiles) -> Environment:
    environment = templates_of("immuni.portal", language.catalogue)
    environment.globals.update(
        language=language,
        link=site.link,
        asset=lambda name: site.link(files.marked_path(name)),
    )
    return environment
