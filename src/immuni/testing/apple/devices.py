"""The two bits of each device, and the tokens by which devices are known."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

_TOKEN: Final = re.compile(rb"DeviceCheck:(?P<device>[\w.-]{1,64}):[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class DeviceBits:
    """What is known of a device.

    Attributes:
        last_update_time: The month of the last update, as in ``2020-06``.
    """

    bit0: bool
    bit1: bool
    last_update_time: str


class Devices:
    """The bits of all devices; a device that was never written has none."""

    def __init__(self) -> None:
        """Know no device."""
        self._bits: dict[str, DeviceBits] = {}

    def query(self, device: str) -> DeviceBits | None:
        """Return the bits of a device; None where they were never written."""
        return self._bits.get(device)

    def update(self, device: str, *, bit0: bool, bit1: bool, today: date) -> None:
        """Write the bits of a device, and remember the month."""
        self._bits[device] = DeviceBits(bit0, bit1, f"{today:%Y-%m}")


def device_token(device: str, nonce: bytes = b"") -> str:
    """Return a token that a device makes; with another `nonce` it is another one.

    Args:
        device: At most 64 letters, digits, dots, hyphens and underscores.
        nonce: Any bytes.
    """
    content = b"DeviceCheck:" + device.encode("ascii") + b":" + nonce.hex().encode("ascii")
    return base64.b64encode(content).decode("ascii")


def device_of(token: str) -> str | None:
    """Return the device that made a token; None where none did."""
    try:
        match = _TOKEN.fullmatch(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError):
        return None
    return None if match is None else match["device"].decode("ascii")
