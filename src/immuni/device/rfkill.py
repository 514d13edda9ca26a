"""Whether the device's Bluetooth is switched on, as the kernel sees it.

Source:
    Linux kernel, ``Documentation/ABI/stable/sysfs-class-rfkill``: ``type``, ``name``, ``soft``,
    ``hard``.
"""

from pathlib import Path
from typing import Final

RFKILL: Final = Path("/sys/class/rfkill")


def is_bluetooth_on(switches: Path = RFKILL, *, adapter: str | None = None) -> bool:
    """Tell whether the adapter is switched on; without a switch of its own, whether some radio is.

    Where Bluetooth has no switch at all, it is on.

    Args:
        switches: The kernel's folder, with a folder for each switch.
        adapter: The kernel's name of the adapter, such as hci0; None where it has none.
    """
    bluetooth = [switch for switch in _folders(switches) if _read(switch / "type") == "bluetooth"]
    own = [switch for switch in bluetooth if adapter and _read(switch / "name") == adapter]
    return not bluetooth or any(_is_on(switch) for switch in own or bluetooth)


def _is_on(switch: Path) -> bool:
    return _read(switch / "soft") == "0" and _read(switch / "hard") == "0"


def _folders(switches: Path) -> list[Path]:
    try:
        return sorted(switches.iterdir())
    except OSError:
        return []


def _read(path: Path) -> str:
    # A switch may be pulled out together with its adapter, between two looks.
    try:
        return path.read_text().strip()
    except OSError:
        return ""
