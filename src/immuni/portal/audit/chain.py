"""The chain of the audit trail: each event vouches for itself and for all before it.

Layout:
    The code (mac) of an event is HMAC-SHA-256, under the secret that the event names, over the code
    of the event before it (32 bytes, zeros at the beginning) and the event's encoding: a label,
    then a JSON array of all its columns but the code itself, keys sorted, without spaces, in ASCII,
    instants in microseconds since the Unix epoch. Ids are counted without a gap.

    Events from before there was a chain have no code: they are folded into the chain's beginning by
    SHA-256, in their order, so that the first code vouches for them as well.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from immuni.errors import ImmuniError
from immuni.portal.audit.keys import AuditKeys

MAC_BYTES: Final = 32
_LABEL: Final = b"immuni audit event 1\x00"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as the database holds it.

    Attributes:
        id: Its place in the trail, counted from 1.
        authority_id: Whose trail it is.
        at: When; None where the database holds what no event can have.
        account_id: Who did it.
        action: What.
        outcome: What came of it.
        subject: What it was done to.
        detail: Facts by name, as JSON.
        key_id: The secret under which it is chained; None for those from before the chain.
        mac: Its code; None likewise.
    """

    id: int
    authority_id: int
    at: datetime | None
    account_id: int | None
    action: str
    outcome: str
    subject: str
    detail: str
    key_id: str | None
    mac: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnd:
    """How far a chain has come.

    Attributes:
        last_id: The last event; 0 where there is none.
        mac: Its code.
        key_id: The secret of that code; None where no event has one yet.
        events: How many events there have been, those that were purged included.
    """

    last_id: int
    mac: bytes
    key_id: str | None
    events: int


BEGINNING: Final = ChainEnd(last_id=0, mac=bytes(MAC_BYTES), key_id=None, events=0)


class Flaw(StrEnum):
    """In which way a chain is wrong."""

    MISSING = "missing"
    CHANGED = "changed"
    EARLY_CHANGED = "early_changed"
    UNCHAINED = "unchained"
    UNKNOWN_KEY = "unknown_key"
    OLD_KEY = "old_key"
    CUT = "cut"


class ChainBrokenError(ImmuniError, ValueError):
    """The trail is not what was written; everything before `first_id` is.

    Attributes:
        flaw: In which way.
        first_id: The first event that is wrong.
        last_id: The last of those that are missing; else the same.
    """

    def __init__(self, flaw: Flaw, first_id: int, last_id: int | None = None) -> None:
        """Say what is wrong, and where."""
        self.flaw, self.first_id, self.last_id = flaw, first_id, last_id or first_id
        first, last = self.first_id, self.last_id
        several = f"events {first} to {last} are" if first < last else f"event {first} is"
        super().__init__(_SAID[flaw].format(first=first, several=several))


_SAID: Final[Mapping[Flaw, str]] = {
    Flaw.MISSING: "{several} missing",
    Flaw.CHANGED: "event {first} was changed, replaced, moved or inserted",
    Flaw.EARLY_CHANGED: "event {first}, or one before it from before the chain, was changed",
    Flaw.UNCHAINED: "event {first} is not chained, though those before it are",
    Flaw.UNKNOWN_KEY: "event {first} is chained under a key that is not among the audit_keys",
    Flaw.OLD_KEY: "event {first} is chained under a key older than that of the event before it",
    Flaw.CUT: "{several} missing at the end",
}


def code_of(secret: bytes, previous: bytes, event: StoredEvent) -> bytes:
    """Return the code of an event.

    Args:
        secret: The one that `event` names.
        previous: The code of the event before it.
        event: Its own code does not count.
    """
    return hmac.digest(secret, previous + encoded(event), "sha256")


def encoded(event: StoredEvent) -> bytes:
    """Return all that an event says, so that two different events never give the same bytes."""
    at = None if event.at is None else (event.at - _EPOCH) // _MICROSECOND
    columns = [
        event.id,
        event.authority_id,
        at,
        event.account_id,
        event.action,
        event.outcome,
        event.subject,
        _canonical(event.detail),
        event.key_id,
    ]
    return _LABEL + json.dumps(columns, separators=(",", ":")).encode("ascii")


def _canonical(detail: str) -> str:
    """Return JSON in the one way to write it: the database orders names as it likes."""
    try:
        value = json.loads(detail)
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (ValueError, RecursionError):
        # No event has such numbers or depths. It is told of as changed, and stops nobody.
        return detail


def extended(end: ChainEnd, event: StoredEvent, keys: AuditKeys) -> ChainEnd:
    """Return the end of a chain behind its next event.

    Raises:
        ChainBrokenError: `event` is not the one that was written there.
    """
    if event.mac is None or event.key_id is None:
        return _folded(end, event)
    if event.id != end.last_id + 1:
        raise ChainBrokenError(Flaw.MISSING, end.last_id + 1, event.id - 1)
    age = keys.age(event.key_id)
    if age is None:
        raise ChainBrokenError(Flaw.UNKNOWN_KEY, event.id)
    before = None if end.key_id is None else keys.age(end.key_id)
    if before is not None and age > before:
        raise ChainBrokenError(Flaw.OLD_KEY, event.id)
    mac = code_of(keys.secrets[event.key_id], end.mac, event)
    if not hmac.compare_digest(mac, event.mac):
        early = end.key_id is None and end.events > 0
        raise ChainBrokenError(Flaw.EARLY_CHANGED if early else Flaw.CHANGED, event.id)
    return ChainEnd(last_id=event.id, mac=mac, key_id=event.key_id, events=end.events + 1)


def _folded(end: ChainEnd, event: StoredEvent) -> ChainEnd:
    """Take in an event from before the chain; such ids have gaps where a transaction failed."""
    if end.key_id is not None or event.mac is not None or event.key_id is not None:
        raise ChainBrokenError(Flaw.UNCHAINED, event.id)
    mac = sha256(end.mac + encoded(event)).digest()
    return ChainEnd(last_id=event.id, mac=mac, key_id=None, events=end.events + 1)


def require_same_end(one: ChainEnd, other: ChainEnd) -> None:
    """Make sure that two accounts of how far a chain has come agree.

    Raises:
        ChainBrokenError: They do not: the end was cut, or the chain was made anew.
    """
    low, high = sorted((one.last_id, other.last_id))
    if low < high:
        raise ChainBrokenError(Flaw.CUT, low + 1, high)
    if one != other:
        raise ChainBrokenError(Flaw.CHANGED, max(low, 1))
