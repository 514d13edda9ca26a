"""Signed statements about the trail: hourly heads, and checkpoints where old events were purged.

Layout:
    A statement is one line of JSON. Signed (Ed25519) is a label, then the same JSON without the
    signature, keys sorted, without spaces, in ASCII. The signature is in base64, codes in
    hexadecimal.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from immuni.errors import ImmuniError
from immuni.portal.audit.chain import ChainEnd

_LABEL: Final = b"immuni audit statement 1\x00"
_FIELDS: Final = {"kind", "number", "at", "last_id", "events", "mac", "chain_key", "signer"}


class StatementKind(StrEnum):
    """What a statement says."""

    HEAD = "head"
    """The trail had come so far."""
    CHECKPOINT = "checkpoint"
    """Everything up to here was purged."""


class StatementForgedError(ImmuniError, ValueError):
    """A line is no statement that one of the signers made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was signed.

    Attributes:
        kind: What it says.
        number: Heads are counted from 1 without a gap; a checkpoint has 0.
        at: When it was made.
        end: How far the trail had come, or was purged.
    """

    kind: StatementKind
    number: int
    at: datetime
    end: ChainEnd


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs statements.

    Attributes:
        name: Tells its public key among others.
    """

    name: str
    key: Ed25519PrivateKey = field(repr=False)

    def sign(self, statement: Statement) -> str:
        """Return a statement as a line, without its end."""
        said = _said(statement, self.name)
        signature = base64.b64encode(self.key.sign(_message(said))).decode()
        return json.dumps(said | {"signature": signature})


@dataclass(frozen=True, slots=True)
class Verifiers:
    """Whose statements are believed, by name."""

    keys: Mapping[str, Ed25519PublicKey]

    @classmethod
    def of(cls, *signers: Signer) -> Self:
        """Believe some signers."""
        return cls({each.name: each.key.public_key() for each in signers})

    def read(self, line: str) -> Statement:
        """Return what a line states.

        Raises:
            StatementForgedError: It is damaged, or none of them signed it.
        """
        try:
            said = json.loads(line)
            signature = base64.b64decode(said.pop("signature"), validate=True)
            self.keys[said["signer"]].verify(signature, _message(said))
            return _statement(said)
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as error:
            raise StatementForgedError("no statement that one of the signers made") from error


def _said(statement: Statement, signer: str) -> dict[str, object]:
    end = statement.end
    return {
        "kind": statement.kind,
        "number": statement.number,
        "at": statement.at.astimezone(UTC).isoformat(),
        "last_id": end.last_id,
        "events": end.events,
        "mac": end.mac.hex(),
        "chain_key": end.key_id,
        "signer": signer,
    }


def _message(said: Mapping[str, object]) -> bytes:
    return _LABEL + json.dumps(said, sort_keys=True, separators=(",", ":")).encode("ascii")


def _statement(said: Mapping[str, object]) -> Statement:
    if said.keys() != _FIELDS:
        raise KeyError("fields")
    return Statement(
        kind=StatementKind(str(said["kind"])),
        number=int(str(said["number"])),
        at=datetime.fromisoformat(str(said["at"])),
        end=ChainEnd(
            last_id=int(str(said["last_id"])),
            events=int(str(said["events"])),
            mac=bytes.fromhex(str(said["mac"])),
            key_id=None if said["chain_key"] is None else str(said["chain_key"]),
        ),
    )
