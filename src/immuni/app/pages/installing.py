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


def _icon(name: str, sizes: str, kind: str, *, purpose: str = "any") -> dict[str, str]:
    return {"src": f"/static/{name}", "sizes": sizes, "type": kind, "purpose": purpose}


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
        _icon("icon.svg", "any", "image/svg+xml"),
        # For what takes no SVG; a system that cuts icons to a shape of its own takes the last.
        _icon("icons/192.png", "192x192", "image/png"),
        _icon("icons/512.png", "512x512", "image/png"),
        _icon("icons/maskable-512.png", "512x512", "image/png", purpose="maskable"),
    ],
}


async def _manifest(_request: Request) -> Response:
    return JSONResponse(_MANIFEST, media_type="application/manifest+json")


def manifest_route() -> Route:
    """Return the route of the manifest; browsers ask for it without cookies."""
    return Route(MANIFEST_PATH, _manifest)
