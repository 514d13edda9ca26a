"""Who takes part: three phones with a past behind them, in one place."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final, Self

from immuni.api import ProvinceCode
from immuni.app.phone import Phone
from immuni.ble import VirtualAir
from immuni.clock import Clock
from immuni.deployment.layout import Layout
from immuni.deployment.roles import Role
from immuni.deployment.settings import loopback_url
from immuni.deployment.up import Running
from immuni.deployment.virtual_phones import (
    PAST,
    Meeting,
    PhoneClock,
    PhoneMaker,
    VirtualPhone,
    live_the_past,
    meeting_before,
    set_up_all,
)
from immuni.entropy import Entropy

A: Final = "phone-a"
B: Final = "phone-b"
C: Final = "phone-c"
PROVINCE: Final = ProvinceCode("MI")


@dataclass(frozen=True, slots=True)
class Scene:
    """Three phones on one air: A and B will meet, C is far away.

    Attributes:
        phones: By name.
        air: Where they stand.
        clock: The phones' clock, three days back at first.
        now: Where their past will end.
        meeting: When A and B meet, and how near.
    """

    phones: Mapping[str, VirtualPhone]
    air: VirtualAir
    clock: PhoneClock
    server_clock: Clock
    meeting: Meeting

    @classmethod
    async def set(
        cls, running: Running, *, clock: Clock, entropy: Entropy, stack: AsyncExitStack
    ) -> Self:
        """Make the phones and take them out of their boxes.

        Args:
            running: The servers that they speak to.
            clock: The servers' clock, which theirs will follow in the end.
            entropy: Their randomness.
            stack: Closes the phones.
        """
        now = clock.now()
        air, phone_clock = VirtualAir(), PhoneClock(now - PAST)
        maker = PhoneMaker(
            layout=Layout(running.data_dir),
            get_url=loopback_url(Role.GET, running.ports),
            upload_url=loopback_url(Role.UPLOAD, running.ports),
            analytics_url=loopback_url(Role.ANALYTICS, running.ports),
            air=air,
            clock=phone_clock,
            entropy=entropy,
        )
        phones = {}
        for name in (A, B, C):
            phones[name] = await maker.make(name)
            stack.push_async_callback(phones[name].phone.close)
        scene = cls(phones, air, phone_clock, clock, meeting_before(now))
        await set_up_all(scene.apps(), PROVINCE)
        return scene

    def phone(self, name: str) -> Phone:
        """Return a phone as its user has it."""
        return self.phones[name].phone

    def apps(self) -> dict[str, Phone]:
        """Return all phones as their users have them."""
        return {name: made.phone for name, made in self.phones.items()}

    async def live(self) -> None:
        """Live through the past three days, with the meeting, and arrive at the present."""
        await live_the_past(
            self.apps(),
            air=self.air,
            clock=self.clock,
            meeting=self.meeting,
            meeting_phones=(A, B),
            until=self.server_clock.now(),
        )
        self.clock.follow(self.server_clock)
