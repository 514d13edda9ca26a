"""The portal's place on the web, and what follows from it for cookies and links."""

import re
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from immuni.errors import ImmuniError

_OWN_PATH: Final = re.compile(r"/(?:[!-.0-\[\]-~][!-\[\]-~]*)?")


class InvalidPublicUrlError(ImmuniError, ValueError):
    """The portal cannot be served under this URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where operators open the portal.

    Attributes:
        origin: Scheme, host and port, as browsers write them in the Origin header.
        prefix: The path before the portal's own, which a proxy in front takes off; else empty.
        secure: Whether it is reached over TLS.
    """

    origin: str
    prefix: str
    secure: bool

    @classmethod
    def parse(cls, public_url: str) -> Self:
        """Read the URL under which browsers reach the portal.

        Raises:
            InvalidPublicUrlError: It is not https, and not http on the machine itself; passwords
                would cross a network in the clear.
        """
        url = urlsplit(public_url)
        host = url.hostname or ""
        local = host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")
        if url.scheme != "https" and not (url.scheme == "http" and local):
            raise InvalidPublicUrlError(
                f"the portal needs an https:// URL, or http:// on a *.localhost name, "
                f"got {public_url!r}"
            )
        if url.query or url.fragment or url.username is not None:
            raise InvalidPublicUrlError(f"{public_url!r} holds more than host, port and path")
        return cls(
            origin=_origin(url.scheme, url.netloc.lower()),
            prefix=url.path.rstrip("/"),
            secure=url.scheme == "https",
        )

    @property
    def host(self) -> str:
        """The name of the host alone: passkeys are made for it."""
        return urlsplit(self.origin).hostname or ""

    def link(self, path: str) -> str:
        """Return the URL path under which a browser reaches one of the portal's own."""
        return self.prefix + path

    def cookie(self, name: str) -> str:
        """Return a cookie's full name.

        Over TLS it carries ``__Host-``, so that no neighbouring host can plant one. Without TLS
        browsers other than Chromium refuse the prefix, on loopback too.
        """
        return f"__Host-immuni-{name}" if self.secure else f"immuni-{name}"


def own_path(text: str) -> str:
    r"""Return a path that a browser sent if it is one of the portal's own, else the first page.

    Browsers read ``//host`` and ``/\host`` as another site.
    """
    return text if _OWN_PATH.fullmatch(text) else "/"


def _origin(scheme: str, netloc: str) -> str:
    default = {"https": ":443", "http": ":80"}[scheme]
    return f"{scheme}://{netloc.removesuffix(default)}"
