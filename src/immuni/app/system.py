"""Whether the device's own system can do what the App needs. Pure, but for `this_linux`.

Source:
    Mobile Client, "Screens", Start.
"""

import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from immuni.ble.adapters import find_adapters

Version = tuple[int, ...]

LEAST_IOS: Final[Version] = (13, 5)
LEAST_ANDROID: Final[Version] = (6,)
LEAST_PLAY_SERVICES: Final[Version] = (20, 18, 13)
LEAST_KERNEL: Final[Version] = (3, 13)
"""Since then Linux lends an adapter to one program alone, by `HCI_CHANNEL_USER`."""

_NUMBERS: Final = re.compile(r"\d+(?:\.\d+)*")


class SystemFault(StrEnum):
    """What of the device's system keeps the App from working at all."""

    IOS_TOO_OLD = "ios_too_old"
    ANDROID_TOO_OLD = "android_too_old"
    PLAY_SERVICES_TOO_OLD = "play_services_too_old"
    KERNEL_TOO_OLD = "kernel_too_old"
    NO_ADAPTER = "no_adapter"


@dataclass(frozen=True, slots=True)
class IosSystem:
    """The system of an iPhone."""

    version: Version
    wants_location: bool = False

    def faults(self) -> tuple[SystemFault, ...]:
        """Return what must be updated first."""
        return (SystemFault.IOS_TOO_OLD,) if self.version < LEAST_IOS else ()


@dataclass(frozen=True, slots=True)
class AndroidSystem:
    """The system of an Android phone, with Google's services on it."""

    version: Version
    play_services: Version
    wants_location: bool = True

    def faults(self) -> tuple[SystemFault, ...]:
        """Return what must be updated first."""
        found = []
        if self.version < LEAST_ANDROID:
            found.append(SystemFault.ANDROID_TOO_OLD)
        if self.play_services < LEAST_PLAY_SERVICES:
            found.append(SystemFault.PLAY_SERVICES_TOO_OLD)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class LinuxSystem:
    """The system of a Linux device.

    Attributes:
        kernel: The version of the kernel.
        has_adapter: Whether there is a Bluetooth adapter.
        wants_location: No Bluetooth scanner of Linux asks for it.
    """

    kernel: Version
    has_adapter: bool
    wants_location: bool = False

    def faults(self) -> tuple[SystemFault, ...]:
        """Return what must be updated, or plugged in, first."""
        found = []
        if self.kernel < LEAST_KERNEL:
            found.append(SystemFault.KERNEL_TOO_OLD)
        if not self.has_adapter:
            found.append(SystemFault.NO_ADAPTER)
        return tuple(found)


System = IosSystem | AndroidSystem | LinuxSystem
AskSystem = Callable[[], System | None]
"""Looks at the device anew each time: an adapter may be plugged in meanwhile."""


def version_of(text: str) -> Version:
    """Return the numbers with which a version begins, ``6.1.0-18-amd64`` gives 6, 1 and 0.

    Raises:
        ValueError: It begins with none.
    """
    found = _NUMBERS.match(text)
    if found is None:
        raise ValueError(f"{text!r} does not begin with a version")
    return tuple(int(number) for number in found[0].split("."))


def this_linux(sys: Path = Path("/sys")) -> LinuxSystem:
    """Look at the machine that this runs on.

    Args:
        sys: Where the kernel describes the machine.
    """
    return LinuxSystem(version_of(platform.release()), has_adapter=bool(find_adapters(sys)))
