"""Keys behind an HTTPS signing service.

The service gets the SHA-256 digest, never the data::

    POST <url>
    {"key_id": "222", "key_version": "v1", "algorithm": "ECDSA_P256_SHA256",
     "digest": "<base64 of 32 bytes>"}

    200 {"signature": "<base64 of an X9.62 DER signature>"}

Any other status means that nothing was signed.
"""

import hashlib
import ssl
from base64 import b64encode
from binascii import Error as BinasciiError
from binascii import a2b_base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from immuni.backend.signing.local import read_private_file
from immuni.backend.signing.signer import SigningFailedError, SigningKeyError, verified

ALGORITHM: Final = "ECDSA_P256_SHA256"
_ATTEMPTS: Final = 3
_TIMEOUT: Final = httpx.Timeout(10, connect=5)
_PASSING: Final = frozenset({502, 503, 504})
_MAX_ANSWER: Final = 4096


class _Answer(msgspec.Struct):
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccess:
    """Where the service is, and how the two recognise each other.

    Attributes:
        url: Begins with https://.
        ca: Certificates in PEM; the service's must come from one of them, and no other authority.
        certificate: Ours, in PEM with its key in the same file that only its owner can read.
        bearer_file: A file that only its owner can read, with a token.
    """

    url: str
    ca: Path
    certificate: Path | None = None
    bearer_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse to speak in the clear, and to a service that cannot tell who asks."""
        if not self.url.startswith("https://"):
            raise SigningKeyError("a signing service has a URL that begins with https://")
        if self.certificate is None and self.bearer_file is None:
            raise SigningKeyError("a signing service wants a certificate or a bearer token")

    def tls(self) -> ssl.SSLContext:
        """Return what a connection is made with.

        Raises:
            SigningKeyError: A file cannot be read or holds no certificate.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                read_private_file(self.certificate)
                context.load_cert_chain(self.certificate)
        except OSError as error:
            raise SigningKeyError(f"signing service: no certificate in {self.ca}") from error
        return context

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks."""
        if self.bearer_file is None:
            return {}
        token = read_private_file(self.bearer_file).decode().strip()
        return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class ServiceSigner:
    """A signer that asks a service, and believes it only what verifies."""

    key_id: str
    key_version: str
    public_key: ec.EllipticCurvePublicKey = field(repr=False)
    access: ServiceAccess

    def sign(self, data: bytes) -> bytes:
        """Return the X9.62 DER signature over `data`.

        Asks up to three times while the service cannot be reached or is busy.

        Raises:
            SigningKeyError: A file of the access cannot be used.
            SigningFailedError: The service does not answer, refuses, or signed something else.
        """
        question = {
            "key_id": self.key_id,
            "key_version": self.key_version,
            "algorithm": ALGORITHM,
            "digest": b64encode(hashlib.sha256(data).digest()).decode("ascii"),
        }
        # The environment's proxies and certificates have no say in this.
        with httpx.Client(
            verify=self.access.tls(),
            headers=self.access.headers(),
            timeout=_TIMEOUT,
            trust_env=False,
        ) as client:
            answer = self._ask(client, question)
        return verified(_signature(answer), data, self.public_key)

    def _ask(self, client: httpx.Client, question: dict[str, str]) -> bytes:
        fault = ""
        for _ in range(_ATTEMPTS):
            try:
                with client.stream("POST", self.access.url, json=question) as answer:
                    if answer.status_code == 200:
                        return _bounded(answer)
                    fault = f"it answered {answer.status_code}"
                    if answer.status_code not in _PASSING:
                        break
            except httpx.TransportError as error:
                fault = type(error).__name__
        raise SigningFailedError(f"signing service for {self.key_id} {self.key_version}: {fault}")


def _bounded(answer: httpx.Response) -> bytes:
    content = b""
    for piece in answer.iter_bytes():
        content += piece
        if len(content) > _MAX_ANSWER:
            raise SigningFailedError(f"the signing service answered over {_MAX_ANSWER} bytes")
    return content


def _signature(answer: bytes) -> bytes:
    try:
        return a2b_base64(msgspec.json.decode(answer, type=_Answer).signature, strict_mode=True)
    except (msgspec.DecodeError, BinasciiError, ValueError) as error:
        raise SigningFailedError("the signing service answered no signature") from error
