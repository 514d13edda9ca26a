"""``immuni device run``: the daemon of one Linux device, put together."""

import asyncio
import os
import resource
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from immuni.ble import ReopeningRadio, open_adapter
from immuni.clock import SystemClock
from immuni.deployment.serving import on_stop_signals
from immuni.device import Device, ServiceManager, open_device
from immuni.entropy import SystemEntropy
from immuni.export import VerificationKey
from immuni.telemetry import logger

_log = logger("device")


async def run_device(folder: Path, *, adapter: str, verification_keys: Sequence[Path]) -> None:
    """Keep a device's exposure notifications alive until SIGTERM or Ctrl-C.

    Args:
        folder: Where the device keeps all; made where it is missing.
        adapter: Bumble's name of the Bluetooth adapter. One that is missing is waited for.
        verification_keys: PEM files of the health authority's keys.

    Raises:
        StoreError: The device's database cannot be opened.
        InvalidVerificationKeyError: Some file holds no key of the right kind.
    """
    # Keys must not reach a core file, also where no service manager sees to that.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    clock, stopped = SystemClock(), asyncio.Event()
    device = Device(
        folder=folder,
        radio=ReopeningRadio(partial(open_adapter, adapter, clock)),
        verification_keys=[
            VerificationKey.from_pem(path.read_bytes()) for path in verification_keys
        ],
        clock=clock,
        entropy=SystemEntropy(),
        service_manager=ServiceManager.from_environment(os.environ),
        on_fault=_tell_of,
    )
    on_stop_signals(stopped.set)
    async with open_device(device):
        await stopped.wait()


def _tell_of(fault: BaseException) -> None:
    # The kind alone: what a fault's message says could be about somebody.
    _log.error("device_duty_failed", kind=type(fault).__name__)
