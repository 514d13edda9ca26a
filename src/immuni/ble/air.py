"""Virtual air: real HCI, real PDUs, and distances in place of antennas."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from bumble import ll

from immuni.ble.air_controller import AirAdvertisingSet, AirController, AirLink
from immuni.ble.bumble_radio import BumbleRadio
from immuni.ble.propagation import Position, Shadowing, path_loss_db
from immuni.ble.quiet_host import QuietHost
from immuni.clock import Clock
from immuni.errors import ImmuniError

DEFAULT_TX_POWER_DBM: Final = -20
DEFAULT_FLOOR_DBM: Final = -94
"""Sensitivity of an ordinary receiver: with the default power it hears some 46 m far."""
_WIDEST_DEVIATIONS: Final = 4.0


class UnknownPhoneError(ImmuniError, LookupError):
    """No phone of that name has a radio on this air; nothing was moved."""


@dataclass(frozen=True, slots=True)
class PduOnAir:
    """One advertising PDU, as whoever stands beside its sender would record it."""

    sender: str
    address: bytes = field(repr=False)
    data: bytes = field(repr=False)


class VirtualAir:
    """A place where virtual phones stand, and what their radios send to each other.

    Everything up to the antenna is real: HCI commands and events, advertising PDUs, reports. A
    scan takes no real time: the advertising events that fall into it happen one after the other.
    """

    def __init__(
        self, *, floor_dbm: int = DEFAULT_FLOOR_DBM, shadowing: Shadowing | None = None
    ) -> None:
        """Begin with nobody.

        Args:
            floor_dbm: Signals weaker than this are not heard.
            shadowing: Varies each reception; without it distance alone decides.
        """
        self._floor_dbm = floor_dbm
        self._shadowing = shadowing
        self._link = AirLink(self)
        self._controllers: dict[str, AirController] = {}
        self._positions: dict[str, Position] = {}
        self._observers: list[Callable[[PduOnAir], None]] = []

    async def radio(
        self, name: str, clock: Clock, *, tx_power_dbm: int = DEFAULT_TX_POWER_DBM
    ) -> BumbleRadio:
        """Give the phone `name` a radio; it is out of everybody's reach until it is placed.

        Args:
            name: The phone's name on this air, once only.
            clock: Dates what it hears.
            tx_power_dbm: What it transmits with.

        Raises:
            ValueError: A phone of that name has a radio already.
        """
        if name in self._controllers:
            raise ValueError(f"the phone {name!r} has a radio already")
        controller = AirController(name, self._link, tx_power_dbm=tx_power_dbm)
        self._controllers[name] = controller
        radio = BumbleRadio(
            QuietHost(controller, controller),
            clock,
            dwell=partial(self._let_pass, controller),
            give_back=partial(self._remove, controller),
        )
        await radio.power_on()
        return radio

    def place(self, phone: str, x: float, y: float) -> None:
        """Put a phone somewhere, in metres, from now on.

        Raises:
            UnknownPhoneError: It has no radio.
        """
        self._positions[self._controller(phone).name] = Position(x, y)

    def unplug(self, phone: str) -> None:
        """Pull a phone's adapter out: it sends and hears nothing and answers no command."""
        controller = self._controller(phone)
        controller.unplugged = True
        for each in controller.enabled_sets():
            each.stop()

    def plug_in(self, phone: str) -> None:
        """Put a phone's adapter back, set up as it was, but silent."""
        self._controller(phone).unplugged = False

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
            rssi_dbm = self._received_dbm(sender, receiver)
            if rssi_dbm >= self._floor_dbm:
                loop.call_soon(receiver.receive, pdu, round(rssi_dbm))

    async def _let_pass(self, listener: AirController, duration: timedelta) -> None:
        # Where nobody is in reach, nothing that happens meanwhile could be noticed.
        audible = [each for each in self._enabled_sets() if self._may_reach(each, listener)]
        events = sorted(
            (tick * each.interval, index)
            for index, each in enumerate(audible)
            for tick in range(duration // each.interval)
        )
        for _, index in events:
            audible[index].advertise()
            await asyncio.sleep(0)
        if events:
            # One turn of the loop for the last report to be made, one for it to arrive.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def _enabled_sets(self) -> list[AirAdvertisingSet]:
        return [
            each for controller in self._controllers.values() for each in controller.enabled_sets()
        ]

    def _may_reach(self, sender: AirAdvertisingSet, listener: AirController) -> bool:
        controller = self._controllers[sender.controller.name]
        if controller is listener:
            return False
        margin_db = self._shadowing.deviation_db * _WIDEST_DEVIATIONS if self._shadowing else 0.0
        loss_db = self._path_loss_db(controller, listener)
        return controller.tx_power_dbm - loss_db + margin_db >= self._floor_dbm

    def _received_dbm(self, sender: AirController, receiver: AirController) -> float:
        loss_db = self._path_loss_db(sender, receiver)
        if self._shadowing is not None:
            loss_db += self._shadowing.draw_db()
        return sender.tx_power_dbm - loss_db

    def _path_loss_db(self, sender: AirController, receiver: AirController) -> float:
        here, there = self._positions.get(sender.name), self._positions.get(receiver.name)
        if here is None or there is None:
            return float("inf")
        return path_loss_db(here.distance_to(there))

    def _controller(self, phone: str) -> AirController:
        try:
            return self._controllers[phone]
        except KeyError:
            raise UnknownPhoneError(f"no phone {phone!r} has a radio on this air") from None

    async def _remove(self, controller: AirController) -> None:
        self._link.remove_controller(controller)
        del self._controllers[controller.name]
        self._positions.pop(controller.name, None)
