"""What browsers read who offer to install the App among the user's programs.

Source:
    W3C, Web Application Manifest.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MANIFEST_PATH: Final = "/manifest.webmanifest"
_PAPER: Final = "#f6f2ea"
"""As the light scheme has it; browsers know one colour for both until a page is there."""
_MANIFEST: Final = {
    "id": "/",
    "name": "Immuni",
    "short_name": "Immuni",
    "start_url": "/",
    "scope": "/",
    "display": "standalone",
    "background_color": _PAPER,
    "theme_color": _PAPER,
    "categories": ["health", "medical"],
    "icons": [
        {"src": "/static/icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    ],
}


async def _manifest(_request: Request) -> Response:
    return JSONResponse(_MANIFEST, media_type="application/manifest+json")


def manifest_route() -> Route:
    """Return the route of the manifest; browsers ask for it without cookies."""
    return Route(MANIFEST_PATH, _manifest)
