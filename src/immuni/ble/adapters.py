"""Which Bluetooth adapters this machine has, as Linux tells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from immuni.ble.radio import UnsuitableRadioError

_SYS: Final = Path("/sys")
_NAME: Final = re.compile(
    r"hci-socket:\d+|(usb|pyusb):\S+|serial:/\S+|tcp-client:[^:\s]+:\d{1,5}|unix:/?\S+|vhci(:\S+)?"
)
_KERNEL_NAME: Final = re.compile(r"hci(\d+)")
_BLUETOOTH_CLASS: Final = ("e0", "01", "01")
"""Wireless controller, radio frequency, Bluetooth: of a USB device or of one of its interfaces."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A Bluetooth adapter, by one of the ways to it.

    Attributes:
        name: Of the way, as `immuni.ble.open_adapter` takes it.
        description: What it is, for people.
    """

    name: str
    description: str


def require_adapter_name(name: str) -> None:
    """Refuse what cannot be the name of an adapter; whether there is one, opening it tells.

    Raises:
        UnsuitableRadioError: It has not the form of a name.
    """
    if _NAME.fullmatch(name):
        return
    kernels = _KERNEL_NAME.fullmatch(name)
    meant = f"; did you mean hci-socket:{kernels[1]}?" if kernels else ""
    raise UnsuitableRadioError(
        f"{name!r} is no name of an adapter: want hci-socket:0, usb:0, serial:/dev/ttyACM0 or "
        f"tcp-client:host:port{meant}"
    )


def kernel_name_of(name: str) -> str | None:
    """Return what the kernel calls the adapter of a name, as hci0; None where it does not drive it.

    Args:
        name: As `immuni.ble.open_adapter` takes it.
    """
    kind, _, number = name.partition(":")
    return f"hci{number}" if kind == "hci-socket" else None


def find_adapters(sys: Path = _SYS) -> list[Adapter]:
    """Return the ways to this machine's adapters: the kernel's first, then USB ports.

    An adapter in a USB port that the kernel knows is there twice. One at a serial port is not
    found: nothing tells it from other serial devices.

    Args:
        sys: Where the kernel describes the machine.
    """
    return [*_of_the_kernel(sys / "class" / "bluetooth"), *_in_usb_ports(sys / "bus/usb/devices")]


def _of_the_kernel(folder: Path) -> Iterator[Adapter]:
    for device in sorted(folder.glob("hci*")):
        number = device.name.removeprefix("hci")
        # Connections stand beside the adapters, as hci0:12.
        if number.isdecimal():
            yield Adapter(f"hci-socket:{number}", f"{device.name}, by way of the kernel")


def _in_usb_ports(folder: Path) -> Iterator[Adapter]:
    for device in sorted(folder.glob("*-*")):
        if ":" not in device.name and _is_bluetooth(device):
            yield Adapter(f"usb:{device.name}", _usb_description(device))


def _is_bluetooth(device: Path) -> bool:
    if _class_of(device, "bDevice") == _BLUETOOTH_CLASS:
        return True
    interfaces = device.glob(f"{device.name}:*")
    return any(_class_of(each, "bInterface") == _BLUETOOTH_CLASS for each in interfaces)


def _class_of(described: Path, prefix: str) -> tuple[str, ...]:
    parts = ("Class", "SubClass", "Protocol")
    return tuple(_text(described / f"{prefix}{part}") for part in parts)


def _usb_description(device: Path) -> str:
    words = (_text(device / "manufacturer"), _text(device / "product"))
    made = " ".join(word for word in words if word)
    number = f"{_text(device / 'idVendor')}:{_text(device / 'idProduct')}"
    return f"USB, {made} ({number})" if made else f"USB, {number}"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
