"""Style sheets, scripts, fonts and pictures, from memory."""

import hashlib
import mimetypes
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from immuni.portal.site import Site
from immuni.web import ENDPOINT_KEY, Call, Content, Headers, entity_tag, send_reply, serve

ASSET_PATH: Final = "/static/{name:path}"

_FOLDER: Final = Path(__file__).parent / "static"
_SERVED: Final = frozenset({".css", ".js", ".svg", ".woff2"})
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "public, no-cache"
_MARK_LENGTH: Final = 12


class Assets:
    """The files of ``static``, read once; an ASGI application for one route.

    Under a URL that carries the mark of its contents a file may be cached for ever. Scripts and
    fonts that other files name without it are asked for again, which costs no body.
    """

    def __init__(self, site: Site) -> None:
        """Read the files."""
        self._site = site
        self._contents = {
            file.relative_to(_FOLDER).as_posix(): _read(file)
            for file in _FOLDER.rglob("*")
            if file.suffix in _SERVED
        }

    def url(self, name: str) -> str:
        """Return the URL of a file, with a mark that changes with its contents."""
        return self._site.link(f"/static/{name}?{_mark(self._contents[name])}")

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer with a file."""
        scope[ENDPOINT_KEY] = ASSET_PATH
        content = self._contents.get(scope["path_params"]["name"])
        if content is None:
            raise HTTPException(404)
        is_marked = scope["query_string"].decode("latin-1") == _mark(content)
        await send_reply(
            serve(Call(None, Headers(scope["headers"])), content),
            send,
            cache_control=_FOR_EVER if is_marked else _ASK_AGAIN,
        )


def _read(file: Path) -> Content:
    body = file.read_bytes()
    return Content(
        body=body,
        etag=entity_tag(hashlib.sha256(body).digest()),
        content_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
    )


def _mark(content: Content) -> str:
    return content.etag.strip('"')[:_MARK_LENGTH]
