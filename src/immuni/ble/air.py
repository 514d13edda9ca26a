"""Virtual air: real HCI, real PDUs, and distances in place of antennas."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from bumble import ll

from immuni.ble.air_controller import AirAdvertisingSet, AirController, AirLink
from immuni.ble.bumble_radio import BumbleRadio
from immuni.ble.propagation import Shadowing
from immuni.ble.quiet_host import QuietHost
from immuni.ble.radio import RadioLostError
from immuni.ble.reopening import ReopeningRadio
from immuni.ble.surroundings import (
    DEFAULT_FLOOR_DBM,
    DEFAULT_REACH_METRES,
    DEFAULT_TX_POWER_DBM,
    Receiver,
    Surroundings,
)
from immuni.clock import Clock


@dataclass(frozen=True, slots=True)
class PduOnAir:
    """One advertising PDU, as whoever stands beside its sender would record it."""

    sender: str
    address: bytes = field(repr=False)
    data: bytes = field(repr=False)


class VirtualAir(Surroundings):
    """A place where virtual phones stand, and what their radios send to each other.

    Everything up to the antenna is real: HCI commands and events, advertising PDUs, reports. A
    scan takes no real time: the advertising events that fall into it happen one after the other.
    """

    def __init__(
        self,
        *,
        floor_dbm: float = DEFAULT_FLOOR_DBM,
        reach_metres: float = DEFAULT_REACH_METRES,
        shadowing: Shadowing | None = None,
    ) -> None:
        """Begin with nobody: see `Surroundings`."""
        super().__init__(floor_dbm=floor_dbm, reach_metres=reach_metres, shadowing=shadowing)
        self._link = AirLink(self)
        self._controllers: dict[str, AirController] = {}
        self._receivers: dict[str, Receiver] = {}
        self._unplugged: set[str] = set()
        self._observers: list[Callable[[PduOnAir], None]] = []

    async def radio(
        self, name: str, clock: Clock, *, tx_power_dbm: int = DEFAULT_TX_POWER_DBM
    ) -> ReopeningRadio:
        """Give the phone `name` a radio; it is out of everybody's reach until it is placed.

        Args:
            name: The phone's name on this air, once only.
            clock: Dates what it hears.
            tx_power_dbm: What it transmits with.

        Raises:
            ValueError: A phone of that name has a radio already.
        """
        self._admit(name)
        self._receivers[name] = self.receiver(name)
        radio = ReopeningRadio(
            partial(self._open, name, clock, tx_power_dbm), give_back=partial(self._leave, name)
        )
        await radio.open()
        return radio

    def unplug(self, phone: str) -> None:
        """Pull a phone's adapter out: it sends and hears nothing and answers no command.

        Raises:
            UnknownPhoneError: It has no radio.
        """
        self._phone(phone)
        self._unplugged.add(phone)
        if (controller := self._controllers.get(phone)) is not None:
            controller.unplug()

    def plug_in(self, phone: str) -> None:
        """Put a phone's adapter back: it is silent, and to be set up anew."""
        self._unplugged.discard(phone)

    def observe(self, observer: Callable[[PduOnAir], None]) -> None:
        """Call `observer` with every PDU that any phone sends, heard or not."""
        self._observers.append(observer)

    def carry(self, sender: AirController, pdu: ll.AdvNonConnInd) -> None:
        """Deliver a PDU to every radio that listens and is near enough."""
        for observer in self._observers:
            observer(PduOnAir(sender.name, bytes(pdu.advertiser_address), pdu.data))
        loop = asyncio.get_running_loop()
        for receiver in self._controllers.values():
            if receiver is sender or not receiver.le_scan_enable:
                continue
            rssi_dbm = self._rssi_dbm(sender, receiver)
            if rssi_dbm is not None and not self._receivers[receiver.name].misses():
                loop.call_soon(receiver.receive, pdu, rssi_dbm)

    async def _open(self, name: str, clock: Clock, tx_power_dbm: int) -> BumbleRadio:
        if name in self._unplugged:
            raise RadioLostError(f"the adapter of {name!r} is not plugged in")
        controller = AirController(name, self._link, tx_power_dbm=tx_power_dbm)
        self._controllers[name] = controller
        radio = BumbleRadio(
            QuietHost(controller, controller),
            clock,
            dwell=partial(self._let_pass, controller),
            give_back=partial(self._detach, controller),
        )
        await radio.open()
        return radio

    async def _let_pass(self, listener: AirController, duration: timedelta) -> None:
        self._receivers[listener.name].begin_scan()
        # What is too weak could not be noticed, and need not be sent.
        audible = [
            each
            for name, _ in self.positions.near(listener.name)
            if (sender := self._controllers.get(name)) is not None
            and self._rssi_dbm(sender, listener) is not None
            for each in sender.enabled_sets()
        ]
        events = sorted(_events(audible, duration))
        for _, index in events:
            audible[index].advertise()
            await asyncio.sleep(0)
        if events:
            # One turn of the loop for the last report to be made, one for it to arrive.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def _rssi_dbm(self, sender: AirController, receiver: AirController) -> int | None:
        metres = self.positions.metres(sender.name, receiver.name)
        return self._receivers[receiver.name].rssi_dbm(
            sender.name, metres, tx_power_dbm=sender.tx_power_dbm
        )

    async def _detach(self, controller: AirController) -> None:
        self._link.remove_controller(controller)
        del self._controllers[controller.name]

    async def _leave(self, name: str) -> None:
        self._unplugged.discard(name)
        del self._receivers[name]
        self._dismiss(name)


def _events(audible: list[AirAdvertisingSet], duration: timedelta) -> list[tuple[timedelta, int]]:
    return [
        (tick * each.interval, index)
        for index, each in enumerate(audible)
        for tick in range(duration // each.interval)
    ]
