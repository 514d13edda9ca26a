"""Style sheets, scripts, fonts and pictures of pages, from memory."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from immuni.web.conditional import Content, entity_tag, serve
from immuni.web.messages import Call, Headers, send_reply
from immuni.web.observing import ENDPOINT_KEY

SHARED_FOLDER: Final = Path(__file__).parent / "static"
"""What the pages of the App and of the portal have in common; its README tells where from."""

_PATH: Final = "/static/{name:path}"
# Nothing else is served, such as the licences and the README that lie beside the fonts. The types
# stand here because those of the machine's own table differ from one machine to the next.
_CONTENT_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
# Fonts and pictures of pixels are packed already.
_PACKED: Final = frozenset({".css", ".js", ".svg"})
_GZIP: Final = {"content-encoding": "gzip", "vary": "accept-encoding"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "public, no-cache"
_MARK_LENGTH: Final = 12


@dataclass(frozen=True, slots=True)
class _File:
    """One file as it is, and packed where that makes it smaller."""

    plain: Content
    packed: Content

    @property
    def mark(self) -> str:
        return self.plain.etag.strip('"')[:_MARK_LENGTH]

    def for_reader(self, headers: Headers) -> Content:
        """Return what a browser can read; those that weigh encodings against each other get all."""
        accepted = headers.joined("accept-encoding").lower().split(",")
        return self.packed if "gzip" in map(str.strip, accepted) else self.plain


class StaticFiles:
    """The shared files and those of one application, read once.

    Under a URL that carries the mark of its contents a file may be cached for ever. Without the
    mark it is asked for again, which costs no body.
    """

    def __init__(self, folder: Path) -> None:
        """Read the files.

        Args:
            folder: Where the application's own files lie.
        """
        self._files = {
            file.relative_to(place).as_posix(): _read(file)
            for place in (SHARED_FOLDER, folder)
            for file in place.rglob("*")
            if file.suffix in _CONTENT_TYPES
        }

    def marked_path(self, name: str) -> str:
        """Return the path of a file, with a mark that changes with its contents."""
        return f"/static/{name}?{self._files[name].mark}"

    def route(self) -> Route:
        """Return the route under which the files are served."""
        return Route(_PATH, self, methods=["GET"])

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer with a file."""
        scope[ENDPOINT_KEY] = _PATH
        file = self._files.get(scope["path_params"]["name"])
        if file is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        is_marked = scope["query_string"].decode("latin-1") == file.mark
        headers = Headers(scope["headers"])
        await send_reply(
            serve(Call(None, headers), file.for_reader(headers)),
            send,
            cache_control=_FOR_EVER if is_marked else _ASK_AGAIN,
        )


def _read(file: Path) -> _File:
    body = file.read_bytes()
    plain = _content(file, body)
    if file.suffix not in _PACKED:
        return _File(plain, plain)
    # The time in the header would give each process another tag for the same bytes.
    return _File(plain, _content(file, gzip.compress(body, mtime=0), _GZIP))


def _content(file: Path, body: bytes, headers: Mapping[str, str] | None = None) -> Content:
    return Content(
        body=body,
        etag=entity_tag(hashlib.sha256(body).digest()),
        content_type=_CONTENT_TYPES[file.suffix],
        headers=headers or {},
    )
