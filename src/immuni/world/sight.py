"""What whoever stands in the world can see at one moment, as values."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest

from immuni.app.phone import Phone
from immuni.app.state import AtRisk, Positive, UserState
from immuni.app.status import ServiceIssue
from immuni.framework import Store
from immuni.matching import PackedSightings
from immuni.world.network import Network
from immuni.world.place import Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RPI_LENGTH = 16
_BETWEEN_SCANS_US = 30_000_000
_ENOUGH_SCANS = 4
"""Phones listen every 3 to 5 minutes: so many times make a contact that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inhabitant:
    """A phone of this world, and what no App knows of it.

    Attributes:
        name: On the air.
        label: What people call it: A or B.
        url: Where its pages are.
        link: What opens them in a browser, with the phone's secret.
        phone: What its user has in hand.
        store: The framework's database, for whoever wants to know what it heard.
        network: Between it and the servers.
    """

    name: str
    label: str
    url: str
    link: str = field(repr=False)
    phone: Phone
    store: Store
    network: Network


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSeen:
    """One phone at one moment.

    Attributes:
        label: A or B.
        is_set_up: Whether its user has been through the welcome pages.
        user: Neutral, at risk or positive.
        was_warned: Whether its user was ever told of a contact.
        code: The code on its screen, None while the upload screen is closed.
        is_code_checked: Whether the servers have said that the code is authorised.
        scans: In how many scans it heard another phone, as far as it keeps them.
        identifiers: How many different identifiers it heard.
        met_on: The first day, in UTC, on which it heard another phone for long enough to count.
        last_heard: When it heard the last one.
        chunk: The last chunk that it compared with what it heard.
        has_network: Whether it reaches the servers.
        has_bluetooth: Whether its radio is on.
        is_paused: Whether its user takes a pause.
        is_active: Whether it broadcasts, listens and checks.
    """

    label: str
    is_set_up: bool = True
    user: UserState
    was_warned: bool = False
    code: str | None = field(default=None, repr=False)
    is_code_checked: bool = False
    scans: int = 0
    identifiers: int = 0
    met_on: date | None = None
    last_heard: datetime | None = None
    chunk: int = 0
    has_network: bool = True
    has_bluetooth: bool = True
    is_paused: bool = False
    is_active: bool = True

    @property
    def is_positive(self) -> bool:
        """Whether its user has reported a positive result."""
        return isinstance(self.user, Positive)

    @property
    def is_at_risk(self) -> bool:
        """Whether its user is warned now."""
        return isinstance(self.user, AtRisk)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSeen:
    """Everything at one moment.

    Attributes:
        now: The time of phones and servers.
        place: How far apart the phones lie.
        phones: Both, A first.
        chunk: Number of the newest chunk that the servers offer; 0 where there is none.
        authorised: The code that the operator of this page authorised last.
        is_time_passing: Whether hours are passing just now.
    """

    now: datetime
    place: Place
    phones: tuple[PhoneSeen, PhoneSeen]
    chunk: int = 0
    authorised: str | None = field(default=None, repr=False)
    is_time_passing: bool = False


def seen(inhabitant: Inhabitant) -> PhoneSeen:
    """Look at a phone from outside and from within."""
    phone, heard = inhabitant.phone, inhabitant.store.sightings.all()
    scans = scans_of(heard.seen_at_us)
    record, flow, status = phone.record, phone.flow, phone.status()
    return PhoneSeen(
        label=inhabitant.label,
        is_set_up=phone.next_onboarding_step() is None,
        user=status.user,
        was_warned=bool(record.history),
        code=None if flow is None else flow.otp,
        is_code_checked=flow is not None and flow.is_checked,
        scans=len(scans),
        identifiers=_different(heard),
        met_on=first_meeting(scans),
        last_heard=scans[-1] if scans else None,
        chunk=record.last_processed_chunk or 0,
        has_network=inhabitant.network.is_up,
        has_bluetooth=phone.framework.is_bluetooth_on,
        is_paused=ServiceIssue.PAUSED in status.issues,
        is_active=status.active,
    )


def scans_of(seen_at_us: Iterable[int]) -> list[datetime]:
    """Return when each scan heard something last: it hears a phone many times within seconds."""
    times = sorted(seen_at_us)
    return [
        _EPOCH + timedelta(microseconds=time)
        for time, later in zip_longest(times, times[1:])
        if later is None or later - time > _BETWEEN_SCANS_US
    ]


def first_meeting(scans: Iterable[datetime]) -> date | None:
    """Return the first day with scans enough for a contact that counts."""
    days = Counter(scan.date() for scan in scans)
    return min((day for day, count in days.items() if count >= _ENOUGH_SCANS), default=None)


def _different(heard: PackedSightings) -> int:
    rpis = bytes(heard.rpis)
    return len({rpis[at : at + _RPI_LENGTH] for at in range(0, len(rpis), _RPI_LENGTH)})
