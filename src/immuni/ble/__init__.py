"""Bluetooth Low Energy: what is broadcast, when it changes, when to listen, and radios."""

from immuni.ble.adapter import open_adapter
from immuni.ble.adapters import Adapter, find_adapters, require_adapter_name
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
from immuni.ble.air import PduOnAir, VirtualAir
from immuni.ble.airtime import ADVERTISING_INTERVAL, on_air_time, pdu_time
from immuni.ble.bumble_radio import BumbleRadio
from immuni.ble.commands import LONGEST_UNATTENDED
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
