"""The world itself: two phones, the air between them, the time, and what whoever watches can do."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, timedelta
from typing import Final

import httpx

from immuni.api import ProvinceCode
from immuni.ble import VirtualAir
from immuni.clock import MovableClock
from immuni.framework import live_until
from immuni.otp import Otp
from immuni.telemetry import logger
from immuni.world.chronicle import Entry, news
from immuni.world.guide import Step, patient, story
from immuni.world.living import Living
from immuni.world.operator import PortalRefusedError
from immuni.world.place import Place, put
from immuni.world.servers import Servers
from immuni.world.sight import Inhabitant, PhoneSeen, WorldSeen, seen

PROVINCE: Final = ProvinceCode("MI")
_LOOK_PAUSE: Final = timedelta(seconds=1)
_KEPT_ENTRIES: Final = 60
# As often as phones check, and servers publish, in a country.
_ROUND: Final = timedelta(hours=4)
_ONSET_REACH: Final = timedelta(days=10)
_log = logger("world")


class World:
    """Everything that this page shows and moves.

    Attributes:
        inhabitants: The two phones, A first.
    """

    def __init__(
        self,
        inhabitants: Sequence[Inhabitant],
        *,
        air: VirtualAir,
        clock: MovableClock,
        servers: Servers,
    ) -> None:
        """Put the phones far apart; nothing lives yet, use `running`.

        Args:
            inhabitants: Two phones on one air.
            air: Where they lie.
            clock: The time of phones and servers; it moves when hours pass.
            servers: Whom the phones talk to.
        """
        self.inhabitants = tuple(inhabitants)
        self._air = air
        self._clock = clock
        self._servers = servers
        self._living = Living([each.phone for each in inhabitants], clock)
        self._entries: deque[Entry] = deque(maxlen=_KEPT_ENTRIES)
        self._done: frozenset[str] = frozenset()
        self._authorised: Otp | None = None
        self._chunk = 0
        self._is_time_passing = False
        self._one_by_one = asyncio.Lock()
        self._put(Place.TOWN)
        self._seen = self.look()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the phones live, and watch them, for as long as the context lasts."""
        watching = asyncio.create_task(self._keep_watching())
        try:
            async with self._living.running():
                yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    def look(self) -> WorldSeen:
        """Return what is to be seen now."""
        one, other = (seen(each) for each in self.inhabitants)
        return WorldSeen(
            now=self._clock.now(),
            place=self._place,
            phones=(one, other),
            chunk=self._chunk,
            authorised=self._authorised,
            is_time_passing=self._is_time_passing,
        )

    def story(self, world: WorldSeen) -> list[Step]:
        """Return the steps of the story, and remember those that are done."""
        steps = story(world, self._done)
        self._done |= {step.name for step in steps if step.is_done}
        return steps

    def chronicle(self) -> list[Entry]:
        """Return what happened, the latest first."""
        return list(reversed(self._entries))

    async def set_up(self, inhabitant: Inhabitant) -> None:
        """Complete a phone's welcome pages for its user."""
        await inhabitant.phone.set_up(PROVINCE)
        await self._watch()

    async def start_again(self) -> None:
        """Destroy what is stored on both phones, and begin the story anew; servers keep theirs."""
        async with self._one_by_one, self._living.held():
            self._put(Place.TOWN)
            for each in self.inhabitants:
                each.network.switch(up=True)
                await each.phone.framework.switch_bluetooth(on=True)
                await each.phone.delete_everything()
            await self.inhabitants[1].phone.set_up(PROVINCE)
            self._authorised = None
            self._done = frozenset()
            self._entries.clear()
            self._seen = await self._noticed()

    def place(self, place: Place) -> None:
        """Lay the phones near each other or apart."""
        if place is self._place:
            return
        self._put(place)
        texts = {
            Place.NEAR: "The phones lie one metre apart.",
            Place.FAR: "The phones lie ten metres apart: they hear each other, faintly.",
            Place.TOWN: "The phones are in different towns: they cannot hear each other.",
        }
        self._tell("world", texts[place])

    def switch_network(self, inhabitant: Inhabitant, *, on: bool) -> None:
        """Let a phone reach the servers, or not."""
        if inhabitant.network.is_up is on:
            return
        inhabitant.network.switch(up=on)
        text = (
            "has the network back, and catches up on what it missed."
            if on
            else "lost the network: it cannot download or upload. What it hears needs no network."
        )
        self._tell(inhabitant.label, f"Phone {inhabitant.label} {text}")

    async def switch_bluetooth(self, inhabitant: Inhabitant, *, on: bool) -> None:
        """Switch a phone's Bluetooth on or off, as its user would."""
        if inhabitant.phone.framework.is_bluetooth_on is on:
            return
        await inhabitant.phone.framework.switch_bluetooth(on=on)
        text = (
            "has Bluetooth on again."
            if on
            else "has Bluetooth off: it neither sends nor hears, and says so on its screen."
        )
        self._tell(inhabitant.label, f"Phone {inhabitant.label} {text}")

    async def pass_time(self, duration: timedelta) -> None:
        """Let hours pass, for phones and servers together; nothing while hours pass already."""
        if self._is_time_passing:
            return
        async with self._one_by_one:
            before = await self._noticed()
            self._is_time_passing = True
            try:
                async with self._living.held():
                    await self._live(duration)
            finally:
                self._is_time_passing = False
            self._tell("world", f"{_hours(duration)} passed.")
            self._remember(before, await self._noticed(), after_a_while=True)

    async def authorise(self) -> None:
        """Let an operator authorise the code that a phone shows; what hinders it is told."""
        ill = patient(self.look())
        if ill.code is None:
            return
        onset = self._onset(ill)
        try:
            await self._servers.authorise(Otp(ill.code), onset)
        except (PortalRefusedError, httpx.HTTPError) as error:
            _log.warning("code_not_authorised", kind=type(error).__name__)
            self._tell("operator", "The portal did not authorise the code. Is it still the same?")
            return
        self._authorised = Otp(ill.code)
        self._tell(
            "operator",
            f"An operator typed the code into the portal, and {_day(onset)} as the first day of "
            "symptoms.",
            "Any key: the operator knows a code and a day. The servers keep a hash of the code, "
            "for two and a half minutes.",
        )

    async def _live(self, duration: timedelta) -> None:
        end = self._clock.now() + duration
        frameworks = [each.phone.framework for each in self.inhabitants]
        while (now := self._clock.now()) < end:
            await live_until(min(end, now + _ROUND), frameworks, self._clock)
            await self._servers.publish()
            await self._living.check()

    def _onset(self, ill: PhoneSeen) -> date:
        """Return the first day of symptoms: the day of the last meeting, else yesterday."""
        today = self._clock.now().astimezone(UTC).date()
        if ill.last_heard is not None and self._clock.now() - ill.last_heard < _ONSET_REACH:
            return ill.last_heard.astimezone(UTC).date()
        return today - timedelta(days=1)

    def _put(self, place: Place) -> None:
        one, other = self.inhabitants
        put(self._air, one.name, other.name, place)
        self._place = place

    def _tell(self, who: str, text: str, unlearnt: str = "") -> None:
        self._entries.append(Entry(at=self._clock.now(), who=who, text=text, unlearnt=unlearnt))

    async def _keep_watching(self) -> None:
        while True:
            try:
                await self._watch()
            except Exception as error:  # noqa: BLE001 - whoever watches goes on
                _log.warning("watching_failed", kind=type(error).__name__)
            await asyncio.sleep(_LOOK_PAUSE.total_seconds())

    async def _watch(self) -> None:
        async with self._one_by_one:
            self._remember(self._seen, await self._noticed())

    async def _noticed(self) -> WorldSeen:
        self._chunk = max(self._chunk, await self._newest_chunk())
        return self.look()

    async def _newest_chunk(self) -> int:
        try:
            return await self._servers.newest_chunk()
        except httpx.HTTPError:
            return 0  # A server that is being started again; the next look will find it.

    def _remember(
        self, before: WorldSeen, after: WorldSeen, *, after_a_while: bool = False
    ) -> None:
        self._entries.extend(news(before, after, after_a_while=after_a_while))
        self._seen = after


def _hours(duration: timedelta) -> str:
    hours = int(duration.total_seconds() // 3600)
    return {1: "An hour", 24: "A day"}.get(hours, f"{hours} hours")


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"
