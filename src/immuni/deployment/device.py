"""``immuni device run``: the daemon of one Linux device, put together."""

import asyncio
import os
import resource
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from immuni.ble import ReopeningRadio, kernel_name_of, open_adapter, require_adapter_name
from immuni.clock import SystemClock
from immuni.deployment.stopping import on_stop_signals
from immuni.device import Device, DeviceFolder, ServiceManager, is_bluetooth_on, open_device
from immuni.entropy import SystemEntropy
from immuni.export import VerificationKey
from immuni.telemetry import logger

_log = logger("device")


async def run_device(
    folder: Path, *, adapter: str, verification_keys: Sequence[VerificationKey]
) -> None:
    """Keep a device's exposure notifications alive until SIGTERM or Ctrl-C.

    Args:
        folder: Where the device keeps all; made where it is missing.
        adapter: Bumble's name of the Bluetooth adapter. One that is missing is waited for.
        verification_keys: The keys of the health authority.

    Raises:
        UnsuitableRadioError: `adapter` is no name of an adapter; nothing was started.
        DataFolderError: The folder cannot be used; nothing was started.
        StoreError: The device's database cannot be opened.
    """
    require_adapter_name(adapter)
    # Keys must not reach a core file, also where no service manager sees to that.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    clock, stopped = SystemClock(), asyncio.Event()
    device = Device(
        folder=DeviceFolder(folder),
        radio=ReopeningRadio(partial(open_adapter, adapter, clock)),
        verification_keys=verification_keys,
        clock=clock,
        entropy=SystemEntropy(),
        service_manager=ServiceManager.from_environment(os.environ),
        bluetooth_is_on=partial(is_bluetooth_on, adapter=kernel_name_of(adapter)),
        on_fault=_tell_of,
        on_change=_tell_status,
    )
    on_stop_signals(stopped.set)
    async with open_device(device):
        await stopped.wait()


def _tell_of(fault: BaseException) -> None:
    # The kind alone: what a fault's message says could be about somebody.
    _log.error("device_duty_failed", kind=type(fault).__name__)


def _tell_status(words: str) -> None:
    _log.warning("device_status_changed", status=words)
