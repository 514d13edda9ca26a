"""Other people's phones, as far as the Analytics Service sees them: each warned, and reports.

One report alone is never shown. With enough of them, a figure is.
"""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from typing import Final, Self

from immuni.api import AppleOperationalInfo, ProvinceCode
from immuni.app.analytics.packets import google_packet
from immuni.app.analytics.reporting import attested_info
from immuni.app.build import pinned_tls
from immuni.app.transport import ServerAddress, ServerUnreachableError, exchange
from immuni.clock import Clock
from immuni.demo.verdict import StoryFailedError
from immuni.deployment.google import VirtualAttestor, play_integrity
from immuni.deployment.layout import Layout
from immuni.deployment.virtual_phones import BUILD_NUMBER
from immuni.entropy import Entropy

_TIMEOUT: Final = timedelta(seconds=20)
_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class OtherPeople:
    """Whoever else was warned.

    Attributes:
        analytics: Where the Analytics Service is.
        attestor: Attests their phones as genuine.
        entropy: Makes each report another one.
    """

    analytics: ServerAddress
    attestor: VirtualAttestor
    entropy: Entropy

    @classmethod
    def near(cls, layout: Layout, analytics_url: str, *, clock: Clock, entropy: Entropy) -> Self:
        """Return people whose phones the service of this data folder believes."""
        address = ServerAddress.parse(analytics_url, tls=pinned_tls(None))
        return cls(address, VirtualAttestor(play_integrity(layout), clock), entropy)

    async def report(self, count: int, *, province: ProvinceCode, contact_day: date) -> None:
        """Let so many phones report that they warned, each over a connection of its own.

        Args:
            count: How many.
            province: Where their users live.
            contact_day: The day of the contacts.

        Raises:
            StoryFailedError: The service does not answer as it must; some may have reported.
        """
        info = AppleOperationalInfo(
            province=province,
            exposure_permission=1,
            bluetooth_active=1,
            notification_permission=1,
            exposure_notification=1,
            last_risky_exposure_on=contact_day,
            build=BUILD_NUMBER,
        )
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one() -> None:
            async with at_once:
                await self._send(info)

        await asyncio.gather(*(one() for _ in range(count)))

    async def _send(self, info: AppleOperationalInfo) -> None:
        attested = await attested_info(info, self.attestor, self.entropy)
        packet = google_packet(attested, authority=self.analytics.authority, is_dummy=False)
        try:
            answer = await exchange(packet, self.analytics, within=_TIMEOUT)
        except ServerUnreachableError as error:
            raise StoryFailedError(f"the Analytics Service gave {error}") from error
        if answer.status != HTTPStatus.NO_CONTENT:
            raise StoryFailedError(f"a report was answered with {answer.status}, want 204")
