"""The framework in the daemon, as the App in another process has it in hand."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from immuni.device.client import DeviceClient, DeviceUnreachableError
from immuni.framework import InactiveReason, Question, Status
from immuni.keys import TemporaryExposureKey
from immuni.risk import ExposureConfiguration, ExposureDetectionSummary, ExposureInfo

_Value = TypeVar("_Value")
_UNKNOWN: Final = Status(frozenset({InactiveReason.UNREACHABLE}), "a place that is not known now")


class RemoteFramework:
    """What `DeviceClient` reaches, with the status at hand as of the last time that it was asked.

    Whoever shows the status calls `refresh` before; every change does so by itself. A daemon that
    does not answer is one more reason why exposure notifications do not work, and never an old
    status that looks well.
    """

    def __init__(self, client: DeviceClient) -> None:
        """Ask through `client`; nothing is asked yet, so nothing is known yet."""
        self._client = client
        self._status = _UNKNOWN

    def status(self) -> Status:
        """Return the status as it was last told."""
        return self._status

    async def refresh(self) -> None:
        """Ask for the status anew."""
        try:
            self._status = await self._client.status()
        except DeviceUnreachableError:
            self._status = replace(_UNKNOWN, key_storage=self._status.key_storage)

    async def authorise(self) -> None:
        """Note that the user allows the App to use exposure notifications."""
        await self._refreshed(self._client.authorise())

    async def start(self) -> None:
        """Broadcast and listen, as soon as nothing stands in the way."""
        await self._refreshed(self._client.start())

    async def stop(self) -> None:
        """Broadcast and listen no more."""
        await self._refreshed(self._client.stop())

    async def pause(self, *, until: datetime | None = None) -> None:
        """Fall silent until an instant, or until told to resume."""
        await self._refreshed(self._client.pause(until=until))

    async def resume(self) -> None:
        """End a pause."""
        await self._refreshed(self._client.resume())

    async def detect_exposures(
        self, exports: Sequence[bytes], configuration: ExposureConfiguration
    ) -> ExposureDetectionSummary:
        """Match `exports` and score by the first model."""
        return await self._refreshed(self._client.detect_exposures(exports, configuration))

    async def exposure_info(self, tell: Question) -> list[ExposureInfo]:
        """Return the exposures of the last detection that found any, once the user was told."""
        return await self._client.exposure_info(tell)

    async def tek_history(self, consent: Question) -> list[TemporaryExposureKey]:
        """Return the device's keys of the last 14 days, with the user's consent."""
        return await self._refreshed(self._client.tek_history(consent))

    async def trust_clock(self) -> None:
        """Believe the clock although it was turned back."""
        await self._refreshed(self._client.trust_clock())

    async def stored(self) -> dict[str, int]:
        """Return how much of each kind the device stores."""
        return await self._client.stored()

    async def delete_everything(self) -> None:
        """Fall silent and destroy all that is stored."""
        await self._refreshed(self._client.delete_everything())

    async def close(self) -> None:
        """Leave the daemon as it is: it goes on without an App."""

    async def _refreshed(self, doing: Awaitable[_Value]) -> _Value:
        try:
            return await doing
        finally:
            await self.refresh()
