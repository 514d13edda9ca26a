"""Choosing the language of the pages: without JavaScript, and before anybody signs in."""

import re
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.portal.door import open_page
from immuni.portal.language import LANGUAGES
from immuni.portal.preferences import LANGUAGE_COOKIE, keep_preference
from immuni.portal.site import Site

# A path of the portal and nothing else: two slashes at its beginning would name another host.
_OWN_PATH: Final = re.compile(r"/(?:[\w.-]+(?:/[\w.-]+)*)?", re.ASCII)


class LanguagePages:
    """The way from one language to another."""

    def __init__(self, site: Site) -> None:
        """Keep where the portal is."""
        self._site = site

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [open_page("/language/{code}", self.choose)]

    async def choose(self, request: Request) -> Response:
        """Keep the choice in this browser, and lead back to where it was made."""
        code = request.path_params["code"]
        if code not in LANGUAGES:
            raise HTTPException(404)
        to = request.query_params.get("to", "/")
        path = to if _OWN_PATH.fullmatch(to) else "/"
        answer = RedirectResponse(self._site.link(path), status_code=303)
        keep_preference(answer, self._site, LANGUAGE_COOKIE, code)
        return answer
