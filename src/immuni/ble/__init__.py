"""Bluetooth Low Energy: what is broadcast, when it changes, when to listen, and radios."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from immuni.ble.adapters import Adapter, find_adapters, kernel_name_of, require_adapter_name
from immuni.ble.advertisement import (
    ADVERTISEMENT_LENGTH,
    SERVICE_UUID,
    BroadcastPayload,
    MalformedPayloadError,
    build_advertisement,
    parse_advertisement,
    parse_service_data,
    service_data_of,
)
from immuni.ble.airtime import ADVERTISING_INTERVAL, on_air_time, pdu_time
from immuni.ble.propagation import InvalidShadowingError, Position, Shadowing, path_loss_db
from immuni.ble.radio import (
    AdvertisementHeard,
    Radio,
    RadioBusyError,
    RadioError,
    RadioLostError,
    RadioNotPermittedError,
    RadioSwitchedOffError,
    UnsuitableRadioError,
)
from immuni.ble.reopening import ReopeningRadio
from immuni.ble.rotation import is_non_resolvable, next_rotation, random_address
from immuni.ble.scan import SCAN_DURATION, next_scan
from immuni.ble.simulated import SimulatedAir, SimulatedRadio
from immuni.ble.surroundings import Surroundings, UnknownPhoneError

if TYPE_CHECKING:
    from immuni.ble.adapter import open_adapter
    from immuni.ble.air import PduOnAir, VirtualAir
    from immuni.ble.bumble_radio import BumbleRadio
    from immuni.ble.commands import LONGEST_UNATTENDED

__all__ = [
    "ADVERTISEMENT_LENGTH",
    "ADVERTISING_INTERVAL",
    "LONGEST_UNATTENDED",
    "SCAN_DURATION",
    "SERVICE_UUID",
    "Adapter",
    "AdvertisementHeard",
    "BroadcastPayload",
    "BumbleRadio",
    "InvalidShadowingError",
    "MalformedPayloadError",
    "PduOnAir",
    "Position",
    "Radio",
    "RadioBusyError",
    "RadioError",
    "RadioLostError",
    "RadioNotPermittedError",
    "RadioSwitchedOffError",
    "ReopeningRadio",
    "Shadowing",
    "SimulatedAir",
    "SimulatedRadio",
    "Surroundings",
    "UnknownPhoneError",
    "UnsuitableRadioError",
    "VirtualAir",
    "build_advertisement",
    "find_adapters",
    "is_non_resolvable",
    "kernel_name_of",
    "next_rotation",
    "next_scan",
    "on_air_time",
    "open_adapter",
    "parse_advertisement",
    "parse_service_data",
    "path_loss_db",
    "pdu_time",
    "random_address",
    "require_adapter_name",
    "service_data_of",
]

_WITH_BUMBLE: Final[Mapping[str, str]] = {
    "LONGEST_UNATTENDED": "commands",
    "BumbleRadio": "bumble_radio",
    "PduOnAir": "air",
    "VirtualAir": "air",
    "open_adapter": "adapter",
}
"""What drives a Bluetooth stack, and the module of each."""

if not TYPE_CHECKING:  # a type checker would take any other name for granted, too

    def __getattr__(name: str) -> object:
        """Import what drives a Bluetooth stack when it is asked for: the App's process never does.

        Raises:
            AttributeError: There is nothing of that name.
        """
        if name not in _WITH_BUMBLE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_WITH_BUMBLE[name]}"), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
