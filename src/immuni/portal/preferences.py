"""What a browser keeps for its user, signed in or not: the languages of pages and of the script."""

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from immuni.portal.language import LANGUAGES, preferred_language
from immuni.portal.site import Site

LANGUAGE_COOKIE: Final = "language"
"""Holds the language of the pages."""
SPOKEN_COOKIE: Final = "spoken"
"""Holds the language that is spoken on the phone."""

_KEPT: Final = timedelta(days=365)


def page_language(request: Request, site: Site) -> str:
    """Return the code of the language of the pages: the one that was chosen, or the browser's."""
    chosen = _kept(request, site, LANGUAGE_COOKIE)
    return chosen or preferred_language(request.headers.get("accept-language", ""))


def spoken_language(request: Request, site: Site) -> str:
    """Return the code of the language that is spoken on the phone: the pages' until one is kept."""
    return _kept(request, site, SPOKEN_COOKIE) or page_language(request, site)


def keep_spoken(answer: Response, site: Site, chosen: str) -> Response:
    """Have the browser keep what is spoken on the phone, where the choice makes sense."""
    if chosen in LANGUAGES:
        keep_preference(answer, site, SPOKEN_COOKIE, chosen)
    return answer


def keep_preference(answer: Response, site: Site, name: str, code: str) -> None:
    """Have the browser keep a language for a year."""
    answer.set_cookie(
        site.cookie(name),
        code,
        max_age=int(_KEPT.total_seconds()),
        path="/",
        secure=site.secure,
        httponly=True,
        samesite="lax",
    )


def _kept(request: Request, site: Site, name: str) -> str:
    code = request.cookies.get(site.cookie(name), "")
    return code if code in LANGUAGES else ""
