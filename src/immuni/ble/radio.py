"""What a phone needs of a radio, whichever it is."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from immuni.ble.advertisement import BroadcastPayload
from immuni.errors import ImmuniError


class RadioError(ImmuniError, OSError):
    """The radio did not do what it was asked; it may broadcast the old payload or nothing."""


class RadioLostError(RadioError):
    """The adapter no longer answers; nothing is broadcast or heard until it is opened anew."""


class UnsuitableRadioError(RadioError):
    """The adapter cannot be used: not there, not permitted, or without advertising sets."""


class RadioNotPermittedError(UnsuitableRadioError):
    """The adapter is there, but this user may not open it; it was left alone."""


class RadioBusyError(UnsuitableRadioError):
    """Another program, mostly bluetoothd, holds the adapter; it was left alone."""


class RadioSwitchedOffError(UnsuitableRadioError):
    """The adapter is switched off (rfkill); it was left alone."""


@dataclass(frozen=True, slots=True)
class AdvertisementHeard:
    """One Exposure Notification broadcast that was received.

    Attributes:
        service_data: Content of the service data, 16 bytes or more where it is well formed.
        rssi_dbm: Strength of the received signal, −127..126.
        at: When it was received.
        address: Address of the sender, 6 bytes as on the air; it is never stored.
    """

    service_data: bytes = field(repr=False)
    rssi_dbm: int
    at: datetime
    address: bytes = field(repr=False)


class Radio(Protocol):
    """A Bluetooth Low Energy radio that broadcasts one payload and listens now and then."""

    @property
    def tx_power_dbm(self) -> int:
        """The transmit power that goes, encrypted, into the broadcast; known once it is open."""
        ...

    @property
    def broadcasting(self) -> bool:
        """Whether what was started last goes on; False as well where the adapter is lost."""
        ...

    async def open(self) -> None:
        """Make the adapter ready; nothing happens where it is.

        Raises:
            RadioError: It cannot be used at present.
        """
        ...

    async def start_broadcast(self, payload: BroadcastPayload, address: bytes) -> None:
        """Broadcast `payload` from `address` in place of what was broadcast before.

        Privacy:
            Never an old payload with a new address or the other way round: that would link the
            two. Silence lies between the old pair and the new.

        Raises:
            RadioError: The adapter refused or is lost.
        """
        ...

    async def stop_broadcast(self) -> None:
        """Fall silent; nothing happens when nothing is broadcast.

        Raises:
            RadioError: The adapter refused or is lost.
        """
        ...

    async def scan(self, duration: timedelta) -> list[AdvertisementHeard]:
        """Listen passively for `duration` and return what was heard, in order.

        Raises:
            RadioError: The adapter refused or is lost.
        """
        ...

    async def close(self) -> None:
        """Fall silent and give the adapter back; a lost adapter is no error."""
        ...
