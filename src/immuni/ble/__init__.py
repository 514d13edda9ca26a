"""Bluetooth Low Energy: what is broadcast, when it changes, when to listen, and radios."""

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
from immuni.ble.air import PduOnAir, UnknownPhoneError, VirtualAir
from immuni.ble.bumble_radio import BumbleRadio, open_adapter
from immuni.ble.propagation import Position, Shadowing, path_loss_db
from immuni.ble.radio import (
    AdvertisementHeard,
    Radio,
    RadioError,
    RadioLostError,
    UnsuitableRadioError,
)
from immuni.ble.rotation import is_non_resolvable, next_rotation, random_address
from immuni.ble.scan import SCAN_DURATION, next_scan

__all__ = [
    "ADVERTISEMENT_LENGTH",
    "SCAN_DURATION",
    "SERVICE_UUID",
    "AdvertisementHeard",
    "BroadcastPayload",
    "BumbleRadio",
    "MalformedPayloadError",
    "PduOnAir",
    "Position",
    "Radio",
    "RadioError",
    "RadioLostError",
    "Shadowing",
    "UnknownPhoneError",
    "UnsuitableRadioError",
    "VirtualAir",
    "build_advertisement",
    "is_non_resolvable",
    "next_rotation",
    "next_scan",
    "open_adapter",
    "parse_advertisement",
    "parse_service_data",
    "path_loss_db",
    "random_address",
    "service_data_of",
]
