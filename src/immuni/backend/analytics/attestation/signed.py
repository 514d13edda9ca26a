"""The JWS in both kinds of attestation: its header first, then the signature by a key of ours.

Source:
    RFC 7515, 5.2 (validation), 7.1 (compact serialisation); RFC 8725, 3.1 (algorithms are pinned).
"""

from typing import Final, TypeVar

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from immuni.api.limits import MAX_ATTESTATION_LENGTH
from immuni.backend.analytics.attestation.reading import from_base64url, parse
from immuni.backend.analytics.attestation.rules import AttestationRefusedError, Refusal

H = TypeVar("H", bound=msgspec.Struct)

_REGISTRY: Final = jws.JWSRegistry(algorithms=["ES256", "RS256"])
_REGISTRY.max_header_length = MAX_ATTESTATION_LENGTH  # Certificates are larger than the default.


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Members that a header may have whatever it is of; none of them means anything here.

    Unknown ones are refused: some bring keys along, and some change what is signed.
    """

    typ: str = ""
    cty: str = ""
    kid: str = ""


def read_header(kind: type[H], token: str) -> H:
    """Read the first segment of a compact serialisation.

    Raises:
        AttestationRefusedError: It is malformed, or asks for what `kind` does not allow.
    """
    segment, _, _ = token.partition(".")
    return parse(kind, from_base64url(segment), otherwise=Refusal.HEADER)


def signed_payload(token: str, key: ECKey | RSAKey) -> bytes:
    """Return what was signed.

    Args:
        token: A compact serialisation; its header was read and allows one algorithm or two, of
            which the library takes the one that is for the key.
        key: Whose signature it must be.

    Raises:
        AttestationRefusedError: The signature is of another key, or there is none.
    """
    try:
        return jws.deserialize_compact(token, key, registry=_REGISTRY).payload
    except (JoseError, ValueError) as error:
        raise AttestationRefusedError(Refusal.SIGNATURE) from error
