"""A radio driven through HCI by bumble: a real adapter, or a controller made of air."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final, TypeVar

from bumble import core, hci

from immuni.ble.advertisement import (
    BroadcastPayload,
    MalformedPayloadError,
    build_advertisement,
    service_data_of,
)
from immuni.ble.cancellation import heeding_cancellation
from immuni.ble.commands import (
    advertising_data,
    advertising_enable,
    advertising_parameters,
    scan_enable,
    scan_parameters,
    set_address,
)
from immuni.ble.quiet_host import QuietHost
from immuni.ble.radio import (
    AdvertisementHeard,
    RadioError,
    RadioLostError,
    UnsuitableRadioError,
)
from immuni.clock import Clock

Dwell = Callable[[timedelta], Awaitable[None]]
"""Lets a stretch of listening pass: real time, or that of virtual air."""

_ANSWER_SECONDS: Final = 5.0
# Some adapters get their firmware at every start.
_SET_UP_SECONDS: Final = 15.0
_EventType = hci.HCI_LE_Extended_Advertising_Report_Event.EventType
_Report = hci.HCI_LE_Extended_Advertising_Report_Event.Report
_RSSI_UNKNOWN: Final = hci.HCI_LE_Extended_Advertising_Report_Event.RSSI_NOT_AVAILABLE
_RSSI_LEAST: Final = -127
_Answer = TypeVar("_Answer", bound=hci.HCI_ReturnParameters)
_Result = TypeVar("_Result")
_LOST: Final = (TimeoutError, core.BaseBumbleError, OSError)


async def _real_time(duration: timedelta) -> None:
    await asyncio.sleep(duration.total_seconds())


class BumbleRadio:
    """One advertising set with legacy PDUs, and passive scans, on one controller.

    Legacy advertising commands are not used: an advertising set has an address of its own, which
    can change while the rest of the controller goes on. Once lost it stays so: what its controller
    does meanwhile is unknown. `immuni.ble.ReopeningRadio` begins anew with another one.

    Attributes:
        malformed: How many advertisements were passed over because a section was cut off.
    """

    def __init__(
        self,
        host: QuietHost,
        clock: Clock,
        *,
        dwell: Dwell = _real_time,
        give_back: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Take a host whose controller was not set up yet; `open` sets it up.

        Args:
            host: Connected to a controller.
            clock: Dates what is heard.
            dwell: Lets the time of a scan pass.
            give_back: Called once at the end, to free the adapter.
        """
        self._host = host
        self._clock = clock
        self._dwell = dwell
        self._give_back = give_back
        self._tx_power_dbm = 0
        self._is_set_up = False
        self._broadcasting = False
        self._gave_up = False
        self._heard: list[AdvertisementHeard] = []
        self.malformed = 0
        host.on("advertising_report", self._hear)

    @property
    def tx_power_dbm(self) -> int:
        """The transmit power that the controller chose, in dBm."""
        return self._tx_power_dbm

    @property
    def broadcasting(self) -> bool:
        """Whether the controller was told to broadcast, and can still be told otherwise."""
        return self._broadcasting and not self._lost

    async def open(self) -> None:
        """Reset the controller and set up its advertising set and its way of scanning, once.

        Raises:
            UnsuitableRadioError: The controller knows no advertising sets.
            RadioError: It refused, or does not answer.
        """
        if self._lost:
            raise RadioLostError("the adapter is gone")
        if self._is_set_up:
            return
        await self._answer_of(asyncio.wait_for(self._host.reset(), _SET_UP_SECONDS))
        if not self._host.supports_le_features(hci.LeFeatureMask.LE_EXTENDED_ADVERTISING):
            raise UnsuitableRadioError("the adapter knows no advertising sets (Bluetooth 5)")
        chosen = await self._command(advertising_parameters())
        self._tx_power_dbm = chosen.selected_tx_power
        await self._command(scan_parameters())
        self._is_set_up = True

    async def start_broadcast(self, payload: BroadcastPayload, address: bytes) -> None:
        """Stop, set address, set data, start: see `Radio.start_broadcast`."""
        data = build_advertisement(payload)
        await self.stop_broadcast()
        await self._command(set_address(address))
        await self._command(advertising_data(data))
        # Noted beforehand: a start whose answer is lost may have taken effect.
        self._broadcasting = True
        await self._command(advertising_enable(on=True))

    async def stop_broadcast(self) -> None:
        """Fall silent: see `Radio.stop_broadcast`."""
        if self._broadcasting:
            await self._command(advertising_enable(on=False))
            self._broadcasting = False

    async def scan(self, duration: timedelta) -> list[AdvertisementHeard]:
        """Listen: see `Radio.scan`."""
        heard: list[AdvertisementHeard] = []
        self._heard = heard
        await self._command(scan_enable(on=True))
        try:
            await self._dwell(duration)
        finally:
            # What the adapter reports before it confirms the end was heard in time.
            await self._command(scan_enable(on=False))
            self._heard = []
        return heard

    async def close(self) -> None:
        """Fall silent and free the adapter: see `Radio.close`."""
        try:
            await self._silence()
        finally:
            self._gave_up = True
            give_back, self._give_back = self._give_back, None
            if give_back is not None:
                await give_back()

    async def _silence(self) -> None:
        try:
            await self.stop_broadcast()
        except RadioLostError:
            pass
        except RadioError:
            # What refuses to stop is reset, which ends whatever it does.
            with suppress(RadioError):
                await self._command(hci.HCI_Reset_Command())

    def _hear(self, report: _Report) -> None:
        # Nobody asked for scan responses, and some controllers repeat a PDU flagged as one.
        if report.event_type & _EventType.SCAN_RESPONSE or report.rssi == _RSSI_UNKNOWN:
            return
        try:
            service_data = service_data_of(report.data)
        except MalformedPayloadError:
            self.malformed += 1
            return
        if service_data is not None:
            rssi_dbm = max(_RSSI_LEAST, report.rssi)
            address = bytes(report.address)
            now = self._clock.now()
            self._heard.append(AdvertisementHeard(service_data, rssi_dbm, now, address))

    @property
    def _lost(self) -> bool:
        return self._gave_up or self._host.lost

    async def _command(self, command: hci.HCI_SyncCommand[_Answer]) -> _Answer:
        if self._lost:
            raise RadioLostError("the adapter is gone")
        answer = self._host.send_sync_command(command, response_timeout=_ANSWER_SECONDS)
        return await self._answer_of(answer)

    async def _answer_of(self, answer: Awaitable[_Result]) -> _Result:
        try:
            return await heeding_cancellation(answer)
        except hci.HCI_Error as error:
            raise RadioError(f"the adapter refused a command: {error.error_code!r}") from error
        except _LOST as error:
            # A late answer could be taken for that of the next command.
            self._gave_up = True
            raise RadioLostError("the adapter does not answer") from error
