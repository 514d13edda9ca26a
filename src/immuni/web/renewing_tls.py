"""TLS with certificates that may be renewed while a process runs."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from cryptography import x509

from immuni.telemetry import logger

_PROTOCOLS: Final = {
    ssl.Purpose.CLIENT_AUTH: ssl.PROTOCOL_TLS_SERVER,
    ssl.Purpose.SERVER_AUTH: ssl.PROTOCOL_TLS_CLIENT,
}
_log: Final = logger("tls")


def _tell_nobody(_ends_at: datetime) -> None:
    """Leave it at that."""


@dataclass(frozen=True, slots=True)
class MutualTls:
    """The files of one side, which only talks to the other side's certificates.

    Attributes:
        authority: The certificates of the authorities that are trusted, and no other.
        certificate: This side's own.
        key: Its private key.
        on_loaded: Told when the certificate ends, each time that one is loaded.
    """

    authority: Path
    certificate: Path
    key: Path
    on_loaded: Callable[[datetime], None] = _tell_nobody

    def context(self, purpose: ssl.Purpose) -> ssl.SSLContext:
        """Read the files.

        Raises:
            OSError: A file cannot be read.
            ssl.SSLError: A file is not what it should be, or certificate and key do not fit.
        """
        context = ssl.create_default_context(purpose, cafile=str(self.authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self.certificate, self.key)
        return context

    def state(self) -> tuple[tuple[int, int], ...]:
        """Return what is different once a file was replaced."""
        found = [path.stat() for path in (self.authority, self.certificate, self.key)]
        return tuple((each.st_ino, each.st_mtime_ns) for each in found)

    def ends_at(self) -> datetime:
        """Return when the certificate ends."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).not_valid_after_utc


class RenewingContext(ssl.SSLContext):
    """A context that each new connection finds with the files as they are by then.

    Where they cannot be used, as between the writing of a certificate and of its key, those of
    before stay in use, and the next connection tries again.
    """

    def __new__(cls, _files: MutualTls, purpose: ssl.Purpose) -> Self:
        """Make the outer context; connections are made by the inner one."""
        return super().__new__(cls, _PROTOCOLS[purpose])

    def __init__(self, files: MutualTls, purpose: ssl.Purpose) -> None:
        """Read the files.

        Args:
            files: The files.
            purpose: ``CLIENT_AUTH`` for a server, ``SERVER_AUTH`` for a client.

        Raises:
            OSError: A file cannot be read.
            ssl.SSLError: A file is not what it should be.
        """
        self._files = files
        self._purpose = purpose
        self._seen = files.state()
        self._inner = files.context(purpose)
        files.on_loaded(files.ends_at())

    def wrap_bio(self, *arguments: Any, **keywords: Any) -> ssl.SSLObject:  # noqa: ANN401 - handed on as they come
        """Begin a connection with the newest files."""
        return self._newest().wrap_bio(*arguments, **keywords)

    def wrap_socket(self, *arguments: Any, **keywords: Any) -> ssl.SSLSocket:  # noqa: ANN401 - likewise
        """Begin a connection with the newest files."""
        return self._newest().wrap_socket(*arguments, **keywords)

    def _newest(self) -> ssl.SSLContext:
        try:
            state = self._files.state()
            if state != self._seen:
                self._inner = self._files.context(self._purpose)
                self._seen = state
                self._files.on_loaded(self._files.ends_at())
                _log.info("certificate_renewed")
        except (OSError, ValueError) as error:
            _log.warning("certificate_not_renewed", error=type(error).__name__)
        return self._inner
