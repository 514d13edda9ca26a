"""A radio driven through HCI by bumble: a real adapter, or a controller made of air."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from bumble import core, hci
from bumble.host import Host
from bumble.transport import open_transport

from immuni.ble.advertisement import (
    BroadcastPayload,
    MalformedPayloadError,
    build_advertisement,
    service_data_of,
)
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
_EventType = hci.HCI_LE_Extended_Advertising_Report_Event.EventType
_Report = hci.HCI_LE_Extended_Advertising_Report_Event.Report
_RSSI_UNKNOWN: Final = hci.HCI_LE_Extended_Advertising_Report_Event.RSSI_NOT_AVAILABLE
_RSSI_LEAST: Final = -127
_Answer = TypeVar("_Answer", bound=hci.HCI_ReturnParameters)
_Result = TypeVar("_Result")
_LOST: Final = (TimeoutError, core.BaseBumbleError, ConnectionError)


async def _real_time(duration: timedelta) -> None:
    await asyncio.sleep(duration.total_seconds())


class BumbleRadio:
    """One advertising set with legacy PDUs, and passive scans, on one controller.

    Legacy advertising commands are not used: an advertising set has an address of its own, which
    can change while the rest of the controller goes on.

    Attributes:
        malformed: How many advertisements were passed over because a section was cut off.
    """

    def __init__(
        self,
        host: Host,
        clock: Clock,
        *,
        dwell: Dwell = _real_time,
        give_back: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Take a host whose controller was not set up yet; `power_on` sets it up.

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
        self._broadcasting = False
        self._heard: list[AdvertisementHeard] = []
        self.malformed = 0
        host.on("advertising_report", self._hear)

    @property
    def tx_power_dbm(self) -> int:
        """The transmit power that the controller chose, in dBm."""
        return self._tx_power_dbm

    async def power_on(self) -> None:
        """Reset the controller and set up its advertising set and its way of scanning.

        Raises:
            UnsuitableRadioError: The controller knows no advertising sets.
            RadioError: It refused, or does not answer.
        """
        await self._answer_of(asyncio.wait_for(self._host.reset(), _ANSWER_SECONDS))
        if not self._host.supports_le_features(hci.LeFeatureMask.LE_EXTENDED_ADVERTISING):
            raise UnsuitableRadioError("the adapter knows no advertising sets (Bluetooth 5)")
        chosen = await self._command(advertising_parameters())
        self._tx_power_dbm = chosen.selected_tx_power
        await self._command(scan_parameters())

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
        return heard

    async def close(self) -> None:
        """Fall silent and free the adapter: see `Radio.close`."""
        try:
            await self.stop_broadcast()
        except RadioLostError:
            self._broadcasting = False
        finally:
            give_back, self._give_back = self._give_back, None
            if give_back is not None:
                await give_back()

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

    async def _command(self, command: hci.HCI_SyncCommand[_Answer]) -> _Answer:
        answer = self._host.send_sync_command(command, response_timeout=_ANSWER_SECONDS)
        return await self._answer_of(answer)

    async def _answer_of(self, answer: Awaitable[_Result]) -> _Result:
        try:
            return await answer
        except hci.HCI_Error as error:
            raise RadioError(f"the adapter refused a command: {error.error_code!r}") from error
        except _LOST as error:
            raise RadioLostError("the adapter does not answer") from error


async def open_adapter(name: str, clock: Clock) -> BumbleRadio:
    """Open a real Bluetooth adapter.

    Args:
        name: Bumble's name of the way to it, such as ``usb:0``, ``hci-socket:0`` or
            ``serial:/dev/ttyACM0``.
        clock: Dates what is heard.

    Raises:
        UnsuitableRadioError: There is none of that name, it may not be opened, or it knows no
            advertising sets.
        RadioLostError: It does not answer.
    """
    try:
        transport = await open_transport(name)
    except (core.BaseBumbleError, OSError, ValueError, ImportError) as error:
        raise UnsuitableRadioError(f"cannot open the adapter {name!r}: {error}") from error
    host = QuietHost(transport.source, transport.sink)
    radio = BumbleRadio(host, clock, give_back=transport.close)
    try:
        await radio.power_on()
    except RadioError:
        await radio.close()
        raise
    return radio
