"""The daemon that keeps one Linux device's framework alive, and the socket that leads to it."""

from immuni.device.client import DeviceClient, DeviceUnreachableError
from immuni.device.daemon import (
    SOCKET_NAME,
    Device,
    in_words,
    open_device,
    open_store,
    repair_store,
)
from immuni.device.faults import DeviceFaultError
from immuni.device.frames import MalformedFrameError
from immuni.device.listener import listening
from immuni.device.service_manager import ServiceManager

__all__ = [
    "SOCKET_NAME",
    "Device",
    "DeviceClient",
    "DeviceFaultError",
    "DeviceUnreachableError",
    "MalformedFrameError",
    "ServiceManager",
    "in_words",
    "listening",
    "open_device",
    "open_store",
    "repair_store",
]
