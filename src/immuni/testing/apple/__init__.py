"""Apple's DeviceCheck, as it answers a server.

>>> from datetime import date
>>> devices = Devices()
>>> devices.query("phone") is None
True
>>> devices.update("phone", bit0=True, bit1=False, today=date(2020, 6, 20))
>>> devices.query("phone")
DeviceBits(bit0=True, bit1=False, last_update_time='2020-06')

Source:
    Apple, "Accessing and modifying per-device data".
"""

from immuni.testing.apple.devices import DeviceBits, Devices, device_of, device_token
from immuni.testing.apple.faults import Fault, Mischief, When
from immuni.testing.apple.server import AppleDeviceCheck, Developer

__all__ = [
    "AppleDeviceCheck",
    "Developer",
    "DeviceBits",
    "Devices",
    "Fault",
    "Mischief",
    "When",
    "device_of",
    "device_token",
]
