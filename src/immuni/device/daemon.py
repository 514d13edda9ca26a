"""One Linux device: its framework, kept alive."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from immuni.ble import Radio
from immuni.clock import Clock
from immuni.device.listener import listening
from immuni.device.rfkill import is_bluetooth_on
from immuni.device.service_manager import ServiceManager
from immuni.entropy import Entropy
from immuni.export import VerificationKey
from immuni.framework import (
    ExposureNotificationFramework,
    OnFault,
    Salvaged,
    Status,
    Store,
    StoreError,
    keep_living,
    key_store_for,
    salvage,
)

SOCKET_NAME: Final = "device.sock"
STORE_NAME: Final = "framework.db"
KEY_NAME: Final = "framework.key"

_LOOK_PERIOD: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a device is made of.

    Attributes:
        folder: Holds its database and its socket; private to one user.
        radio: Its Bluetooth radio.
        verification_keys: The pinned keys of the health authority.
        clock: Its clock.
        entropy: Its randomness.
        service_manager: Learns how it is.
        bluetooth_is_on: Tells whether the user has Bluetooth switched on.
        on_fault: Learns of a fault that no duty foresaw.
    """

    folder: Path
    radio: Radio
    verification_keys: Sequence[VerificationKey]
    clock: Clock
    entropy: Entropy
    service_manager: ServiceManager
    bluetooth_is_on: Callable[[], bool] = is_bluetooth_on
    on_fault: OnFault

    @property
    def socket(self) -> Path:
        """Where the App finds the daemon."""
        return self.folder / SOCKET_NAME


def open_store(folder: Path, entropy: Entropy) -> Store:
    """Open the device's database, or make it.

    Raises:
        StoreError: It cannot be opened; ``immuni device repair`` may help.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    return Store(folder / STORE_NAME, key_store_for(folder / KEY_NAME), entropy)


def repair_store(folder: Path, *, now: datetime) -> Salvaged:
    """Save what can still be read of a device's damaged database; see `salvage`.

    Raises:
        StoreError: It is as it was.
    """
    return salvage(folder / STORE_NAME, key_store_for(folder / KEY_NAME), now=now)


@asynccontextmanager
async def open_device(device: Device) -> AsyncIterator[ExposureNotificationFramework]:
    """Keep the device's framework alive and within the App's reach, as long as the context lasts.

    Raises:
        StoreError: Its database cannot be opened; nothing was started.
    """
    framework = ExposureNotificationFramework(
        store=open_store(device.folder, device.entropy),
        radio=device.radio,
        clock=device.clock,
        entropy=device.entropy,
        verification_keys=device.verification_keys,
    )
    try:
        async with (
            listening(framework, device.socket, on_fault=device.on_fault),
            asyncio.TaskGroup() as group,
        ):
            tasks = [
                group.create_task(
                    keep_living(framework, clock=device.clock, on_fault=device.on_fault)
                ),
                group.create_task(_keep_looking(device, framework)),
                group.create_task(_keep_telling(device.service_manager, framework)),
            ]
            device.service_manager.tell(READY="1", STATUS=in_words(framework.status()))
            try:
                yield framework
            finally:
                device.service_manager.tell(STOPPING="1")
                for task in tasks:
                    task.cancel()
    finally:
        await framework.close()


def in_words(status: Status) -> str:
    """Return a status as one line, for the service manager."""
    if status.active:
        return "active"
    reasons = sorted(reason.value.replace("_", " ") for reason in status.reasons)
    return "not active: " + ", ".join(reasons)


async def _keep_looking(
    device: Device,
    framework: ExposureNotificationFramework,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Follow the device's Bluetooth switch."""
    while True:
        await follow_bluetooth(framework, is_on=device.bluetooth_is_on())
        await sleep(_LOOK_PERIOD.total_seconds())


async def _keep_telling(
    manager: ServiceManager,
    framework: ExposureNotificationFramework,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Let the service manager know that all is well, also while an adapter does not answer."""
    period = min(_LOOK_PERIOD, (manager.watchdog_period or _LOOK_PERIOD * 2) / 2)
    while True:
        manager.tell(WATCHDOG="1", STATUS=in_words(framework.status()))
        await sleep(period.total_seconds())


async def follow_bluetooth(framework: ExposureNotificationFramework, *, is_on: bool) -> None:
    """Tell the framework that the user switched Bluetooth on or off, where it does not know yet.

    Where it cannot be stored, it holds all the same until it is told again.
    """
    if framework.is_bluetooth_on != is_on:
        with suppress(StoreError):
            await framework.switch_bluetooth(on=is_on)
