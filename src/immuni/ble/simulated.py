"""Simulated air: for whole populations, without HCI.

It follows the same model as `immuni.ble.VirtualAir`, and gives one report where that gives one for
every PDU: all PDUs of a scan come in with the same strength, and the strongest is what counts.
"""

from dataclasses import dataclass
from datetime import timedelta

from immuni.ble.advertisement import BroadcastPayload, build_advertisement, service_data_of
from immuni.ble.airtime import ADVERTISING_INTERVAL
from immuni.ble.propagation import Shadowing
from immuni.ble.radio import AdvertisementHeard, RadioLostError
from immuni.ble.surroundings import (
    DEFAULT_FLOOR_DBM,
    DEFAULT_REACH_METRES,
    DEFAULT_TX_POWER_DBM,
    Surroundings,
)
from immuni.clock import Clock


@dataclass(frozen=True, slots=True)
class Signal:
    """What one phone has on the air."""

    service_data: bytes
    address: bytes
    tx_power_dbm: int


class SimulatedAir(Surroundings):
    """A place where phones stand whose radios are simulated.

    The same seed and the same sequence of calls give the same receptions. A scan costs as much as
    there are phones in reach, however many there are elsewhere.
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
        self._signals: dict[str, Signal] = {}
        self._unplugged: set[str] = set()

    async def radio(
        self, name: str, clock: Clock, *, tx_power_dbm: int = DEFAULT_TX_POWER_DBM
    ) -> "SimulatedRadio":
        """Give the phone `name` a radio; it is out of everybody's reach until it is placed.

        Args:
            name: The phone's name on this air, once only.
            clock: Dates what it hears.
            tx_power_dbm: What it transmits with.

        Raises:
            ValueError: A phone of that name has a radio already.
        """
        self._admit(name)
        return SimulatedRadio(self, name, clock, tx_power_dbm=tx_power_dbm)

    def unplug(self, phone: str) -> None:
        """Break a phone's radio: it sends and hears nothing.

        Raises:
            UnknownPhoneError: It has none.
        """
        self._phone(phone)
        self._unplugged.add(phone)
        self.hush(phone)

    def plug_in(self, phone: str) -> None:
        """Repair a phone's radio; it is silent."""
        self._unplugged.discard(phone)

    def is_plugged_in(self, phone: str) -> bool:
        """Tell whether a phone's radio works."""
        return phone in self._phones and phone not in self._unplugged

    def emit(self, phone: str, signal: Signal) -> None:
        """Put a phone's signal on the air, in place of its former one."""
        self._signals[phone] = signal

    def hush(self, phone: str) -> None:
        """Take a phone's signal off the air, if there is one."""
        self._signals.pop(phone, None)

    def signal_of(self, phone: str) -> Signal | None:
        """Return what a phone has on the air."""
        return self._signals.get(phone)

    def leave(self, phone: str) -> None:
        """Take a phone away."""
        self.hush(phone)
        self._unplugged.discard(phone)
        self._dismiss(phone)


class SimulatedRadio:
    """The radio of one phone on simulated air."""

    def __init__(self, air: SimulatedAir, name: str, clock: Clock, *, tx_power_dbm: int) -> None:
        """Be silent at first; `SimulatedAir.radio` makes one."""
        self._air = air
        self._name = name
        self._clock = clock
        self._tx_power_dbm = tx_power_dbm
        self._receiver = air.receiver(name)
        self._closed = False

    @property
    def tx_power_dbm(self) -> int:
        """What it transmits with, in dBm."""
        return self._tx_power_dbm

    @property
    def broadcasting(self) -> bool:
        """Whether it has a signal on the air."""
        return not self._closed and self._air.signal_of(self._name) is not None

    async def open(self) -> None:
        """Make sure that it works: see `Radio.open`."""
        if self._closed or not self._air.is_plugged_in(self._name):
            raise RadioLostError(f"the radio of {self._name!r} does not work")

    async def start_broadcast(self, payload: BroadcastPayload, address: bytes) -> None:
        """Broadcast: see `Radio.start_broadcast`."""
        await self.open()
        # Built and taken apart as on a real way, so that what cannot be sent is refused here too.
        service_data = service_data_of(build_advertisement(payload)) or b""
        self._air.emit(self._name, Signal(service_data, address, self._tx_power_dbm))

    async def stop_broadcast(self) -> None:
        """Fall silent: see `Radio.stop_broadcast`."""
        if not self._closed:
            self._air.hush(self._name)

    async def scan(self, duration: timedelta) -> list[AdvertisementHeard]:
        """Listen, and report every sender once: see `Radio.scan`."""
        await self.open()
        pdus = duration // ADVERTISING_INTERVAL
        now = self._clock.now()
        heard = []
        self._receiver.begin_scan()
        for sender, metres in self._air.positions.near(self._name):
            signal = self._air.signal_of(sender)
            if signal is None:
                continue
            rssi_dbm = self._receiver.rssi_dbm(sender, metres, tx_power_dbm=signal.tx_power_dbm)
            if rssi_dbm is not None and pdus and not self._receiver.misses(pdus):
                heard.append(AdvertisementHeard(signal.service_data, rssi_dbm, now, signal.address))
        return heard

    async def close(self) -> None:
        """Fall silent and leave the air: see `Radio.close`."""
        if not self._closed:
            self._air.leave(self._name)
            self._closed = True
