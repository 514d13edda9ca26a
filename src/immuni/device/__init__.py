"""The daemon that keeps one Linux device's framework alive, and the socket that leads to it."""

from immuni.device.client import DeviceClient, DeviceUnreachableError
from immuni.device.daemon import Device, in_words, open_device
from immuni.device.faults import DeviceFaultError
from immuni.device.folder import DeviceFolder, NotDamagedError
from immuni.device.frames import MalformedFrameError
from immuni.device.listener import listening
from immuni.device.private_folder import DataFolderError
from immuni.device.remote import RemoteFramework
from immuni.device.rfkill import is_bluetooth_on
from immuni.device.service_manager import ServiceManager

__all__ = [
    "DataFolderError",
    "Device",
    "DeviceClient",
    "DeviceFaultError",
    "DeviceFolder",
    "DeviceUnreachableError",
    "MalformedFrameError",
    "NotDamagedError",
    "RemoteFramework",
    "ServiceManager",
    "in_words",
    "is_bluetooth_on",
    "listening",
    "open_device",
]
