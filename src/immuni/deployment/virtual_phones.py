"""Virtual phones: everything of a phone but its radio and its clock.

Where a story begins with a past, they live through it in compressed time, and then follow another
clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final

from immuni.api import Platform, ProvinceCode
from immuni.app.analytics.ports import Vouchers
from immuni.app.build import Build, pinned_tls
from immuni.app.phone import Phone
from immuni.app.storage import AppStore
from immuni.ble import VirtualAir
from immuni.clock import Clock, ManualClock
from immuni.deployment.apple import VirtualDeviceCheck
from immuni.deployment.google import VirtualAttestor, play_integrity
from immuni.deployment.layout import Layout
from immuni.deployment.private_files import make_private_folder
from immuni.deployment.signing_keys import keyring_of
from immuni.entropy import Entropy
from immuni.framework import ExposureNotificationFramework, FileKeyStore, Store, live_until

PAST: Final = timedelta(days=3)
"""How long a phone has lived before its story begins."""

BUILD_NUMBER: Final = 1
_MEETING_DAYS_AGO: Final = timedelta(days=2)
_MEETING_AT: Final = time(12, 0)
_MEETING_LENGTH: Final = timedelta(minutes=30)
_MEETING_METRES: Final = 1.0
_APART_METRES: Final = 10_000.0


class PhoneClock(ManualClock):
    """Stands where it is put while the past is lived, then follows another clock for good."""

    def __init__(self, start: datetime) -> None:
        """Stop at `start`."""
        super().__init__(start)
        self._followed: Clock | None = None

    def now(self) -> datetime:
        """Return the instant at which it stands, or that of the clock that it follows."""
        return super().now() if self._followed is None else self._followed.now()

    def follow(self, clock: Clock) -> None:
        """Tell the time of `clock` from now on."""
        self._followed = clock


@dataclass(frozen=True, slots=True)
class Meeting:
    """When and how near two phones meet in the past.

    Attributes:
        begin: The first moment, in UTC.
        length: How long they stay.
        metres: How far apart.
    """

    begin: datetime
    length: timedelta = _MEETING_LENGTH
    metres: float = _MEETING_METRES


def meeting_before(now: datetime) -> Meeting:
    """Return the meeting of the first two phones: at noon, two days before `now`."""
    day = (now - _MEETING_DAYS_AGO).date()
    return Meeting(datetime.combine(day, _MEETING_AT, tzinfo=now.tzinfo))


@dataclass(frozen=True, slots=True)
class VirtualPhone:
    """A phone, and a look into it that no App has.

    Attributes:
        phone: What a user has in hand.
        store: The framework's database, for those who check what it holds.
    """

    phone: Phone
    store: Store


@dataclass(frozen=True, slots=True)
class PhoneMaker:
    """Makes virtual phones on one air.

    Attributes:
        layout: Holds their files, and the public keys that they pin.
        get_url: Where they get settings and chunks.
        upload_url: Where they check codes and upload.
        analytics_url: Where they report.
        air: Where they stand.
        clock: The clock that they share.
        entropy: Their randomness.
        lines: Where they reach each host instead, by its base URL: these three, and whatever
            address a server names.
    """

    layout: Layout
    get_url: str
    upload_url: str
    analytics_url: str
    air: VirtualAir
    clock: Clock
    entropy: Entropy
    lines: Mapping[str, str] = field(default_factory=dict)

    async def make(self, name: str, *, platform: Platform = Platform.ANDROID) -> VirtualPhone:
        """Make the phone `name`, or take it up where it was left.

        Args:
            name: On the air, and to the stand-ins for Apple and Google.
            platform: The profile under which it speaks to the servers.
        """
        folder = self._folder(name)
        make_private_folder(folder)
        store = Store(folder / "framework.db", FileKeyStore(folder / "framework.key"), self.entropy)
        framework = ExposureNotificationFramework(
            store=store,
            radio=await self.air.radio(name, self.clock),
            clock=self.clock,
            entropy=self.entropy,
            verification_keys=keyring_of(self.layout).pinned_keys(),
        )
        app_store = AppStore.open(
            folder / "app.db", FileKeyStore(folder / "app.key"), entropy=self.entropy
        )
        phone = Phone(
            build=self._build(platform),
            framework=framework,
            store=app_store,
            clock=self.clock,
            entropy=self.entropy,
            vouchers=self._vouchers(name, platform),
        )
        return VirtualPhone(phone, store)

    def _build(self, platform: Platform) -> Build:
        return Build(
            platform=platform,
            number=BUILD_NUMBER,
            get_url=self._reached(self.get_url),
            upload_url=self._reached(self.upload_url),
            analytics_url=self._reached(self.analytics_url),
            settings_keys=keyring_of(self.layout).settings_keys(),
            tls=pinned_tls(None),
            lines=self.lines,
        )

    def _reached(self, url: str) -> str:
        return self.lines.get(url, url)

    def _vouchers(self, name: str, platform: Platform) -> Vouchers:
        """Return what a real phone would have of its platform."""
        if platform is Platform.IOS:
            return Vouchers(device_check=VirtualDeviceCheck(name, self.entropy))
        return Vouchers(attestor=VirtualAttestor(play_integrity(self.layout), self.clock))

    def _folder(self, name: str) -> Path:
        return self.layout.phones / name


async def live_the_past(
    phones: dict[str, Phone],
    *,
    air: VirtualAir,
    clock: PhoneClock,
    meeting: Meeting,
    meeting_phones: Sequence[str],
    until: datetime,
) -> None:
    """Let phones live from where their clock stands until `until`, with one meeting on the way.

    Args:
        phones: By their names on the air; all share `clock`.
        air: Where they stand: far apart, but for the meeting.
        clock: Moved forwards.
        meeting: When, and how near.
        meeting_phones: Who meets; the others stay away.
        until: Where the past ends.
    """
    frameworks = [phone.framework for phone in phones.values()]
    keep_apart(air, phones)
    await live_until(meeting.begin, frameworks, clock)
    for place, name in enumerate(meeting_phones):
        air.place(name, place * meeting.metres, 0)
    await live_until(meeting.begin + meeting.length, frameworks, clock)
    keep_apart(air, phones)
    await live_until(until, frameworks, clock)


def keep_apart(air: VirtualAir, names: Iterable[str]) -> None:
    """Place phones so far from each other that none hears another."""
    for place, name in enumerate(names, start=1):
        air.place(name, place * _APART_METRES, _APART_METRES)


async def set_up_all(phones: dict[str, Phone], province: ProvinceCode) -> None:
    """Take phones out of their boxes: the whole onboarding, at once."""
    for phone in phones.values():
        await phone.set_up(province)
