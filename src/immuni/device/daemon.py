"""One Linux device: its framework, kept alive."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from immuni.ble import Radio
from immuni.clock import Clock
from immuni.device.folder import DeviceFolder
from immuni.device.listener import listening
from immuni.device.rfkill import is_bluetooth_on
from immuni.device.service_manager import ServiceManager
from immuni.entropy import Entropy
from immuni.export import VerificationKey
from immuni.framework import (
    ExposureNotificationFramework,
    InactiveReason,
    OnFault,
    Status,
    StoreError,
    keep_living,
)

_LOOK_PERIOD: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What a device is made of.

    Attributes:
        folder: Where it keeps everything.
        radio: Its Bluetooth radio.
        verification_keys: The pinned keys of the health authority.
        clock: Its clock.
        entropy: Its randomness.
        service_manager: Learns how it is.
        bluetooth_is_on: Tells whether the user has Bluetooth switched on.
        look_period: How often that is looked at.
        on_fault: Learns of a fault that no duty foresaw.
        on_change: Learns the status in words, whenever it has changed.
    """

    folder: DeviceFolder
    radio: Radio
    verification_keys: Sequence[VerificationKey]
    clock: Clock
    entropy: Entropy
    service_manager: ServiceManager
    bluetooth_is_on: Callable[[], bool] = is_bluetooth_on
    look_period: timedelta = _LOOK_PERIOD
    on_fault: OnFault
    on_change: Callable[[str], object]


@asynccontextmanager
async def open_device(device: Device) -> AsyncIterator[ExposureNotificationFramework]:
    """Keep the device's framework alive and within the App's reach, as long as the context lasts.

    Raises:
        DataFolderError: Its folder cannot be used; nothing was started.
        StoreError: Its database cannot be opened; nothing was started.
    """
    framework = ExposureNotificationFramework(
        store=device.folder.open_store(device.entropy),
        radio=device.radio,
        clock=device.clock,
        entropy=device.entropy,
        verification_keys=device.verification_keys,
    )
    try:
        async with (
            listening(framework, device.folder.socket, on_fault=device.on_fault),
            asyncio.TaskGroup() as group,
        ):
            tasks = [
                group.create_task(
                    keep_living(framework, clock=device.clock, on_fault=device.on_fault)
                ),
                group.create_task(_keep_looking(device, framework)),
                group.create_task(_keep_telling(device, framework)),
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
    """Return a status as one line, for the service manager and for people."""
    if status.active:
        return "active"
    words = {reason: reason.value.replace("_", " ") for reason in status.reasons}
    if status.paused_until is not None:
        words[InactiveReason.PAUSED] = f"paused until {status.paused_until:%H:%M} UTC"
    if InactiveReason.RADIO_LOST in words and status.radio_error is not None:
        words[InactiveReason.RADIO_LOST] += f" ({status.radio_error})"
    if InactiveReason.STORE_DAMAGED in words:
        words[InactiveReason.STORE_DAMAGED] += " (stop the daemon, then: immuni device repair)"
    return "not active: " + ", ".join(sorted(words.values()))


async def _keep_looking(
    device: Device,
    framework: ExposureNotificationFramework,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Follow the device's Bluetooth switch."""
    while True:
        await follow_bluetooth(framework, is_on=device.bluetooth_is_on())
        await sleep(device.look_period.total_seconds())


async def _keep_telling(
    device: Device,
    framework: ExposureNotificationFramework,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Let the service manager know that all is well, also while an adapter does not answer."""
    manager, told = device.service_manager, ""
    period = min(_LOOK_PERIOD, (manager.watchdog_period or _LOOK_PERIOD * 2) / 2)
    while True:
        words = in_words(framework.status())
        manager.tell(WATCHDOG="1", STATUS=words)
        if words != told:
            device.on_change(words)
            told = words
        await sleep(period.total_seconds())


async def follow_bluetooth(framework: ExposureNotificationFramework, *, is_on: bool) -> None:
    """Tell the framework that the user switched Bluetooth on or off, where it does not know yet.

    Where it cannot be stored, it holds all the same until it is told again.
    """
    if framework.is_bluetooth_on != is_on:
        with suppress(StoreError):
            await framework.switch_bluetooth(on=is_on)
