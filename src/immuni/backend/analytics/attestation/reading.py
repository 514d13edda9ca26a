"""Reading base64 and JSON strictly: what two readers could take for two things is refused.

Source:
    RFC 7515, 4 (the members of a header are unique), appendix C (base64url); RFC 4648, 3.5.
"""

import json
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from immuni.backend.analytics.attestation.rules import AttestationRefusedError, Refusal

M = TypeVar("M", bound=msgspec.Struct)


def from_base64(text: str) -> bytes:
    """Decode canonical base64, with its padding.

    Raises:
        AttestationRefusedError: It is not canonical.
    """
    return _canonical(text, b64decode, b64encode)


def from_base64url(text: str) -> bytes:
    """Decode canonical base64url, without padding.

    Raises:
        AttestationRefusedError: It is not canonical.
    """
    return _canonical(
        text,
        lambda text: urlsafe_b64decode(text + "=" * (-len(text) % 4)),
        lambda data: urlsafe_b64encode(data).rstrip(b"="),
    )


def parse(kind: type[M], data: bytes, *, otherwise: Refusal = Refusal.FORM) -> M:
    """Read a JSON object.

    Args:
        kind: What it must hold, by type.
        data: UTF-8.
        otherwise: Why it is refused where it is an object but not of this kind.

    Raises:
        AttestationRefusedError: It is not JSON, no object, has a member twice, or is not of the
            kind.
    """
    try:
        return msgspec.convert(json.loads(data.decode(), object_pairs_hook=_once), kind)
    except msgspec.ValidationError as error:
        raise AttestationRefusedError(otherwise) from error
    except (ValueError, RecursionError) as error:
        raise AttestationRefusedError(Refusal.FORM) from error


def _canonical(
    text: str, decode: Callable[[str], bytes], encode: Callable[[bytes], bytes]
) -> bytes:
    try:
        data = decode(text)
    except ValueError as error:
        raise AttestationRefusedError(Refusal.FORM) from error
    # The decoder skips what it does not know; only one text is what the encoder makes.
    if encode(data).decode() != text:
        raise AttestationRefusedError(Refusal.FORM)
    return data


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) != len(members):
        raise ValueError("a member is there twice")
    return read
