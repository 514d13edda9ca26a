"""Opening a real Bluetooth adapter."""

import asyncio
import errno
from contextlib import suppress
from typing import Final

from bumble.transport import open_transport
from bumble.transport.common import Transport

from immuni.ble.bumble_radio import BumbleRadio
from immuni.ble.quiet_host import QuietHost
from immuni.ble.radio import (
    RadioBusyError,
    RadioNotPermittedError,
    RadioSwitchedOffError,
    UnsuitableRadioError,
)
from immuni.clock import Clock

_OPEN_SECONDS: Final = 15.0
_REFUSALS: Final = {
    errno.EPERM: RadioNotPermittedError,
    errno.EACCES: RadioNotPermittedError,
    errno.EBUSY: RadioBusyError,
    errno.ERFKILL: RadioSwitchedOffError,
}
_LIBUSB_REFUSALS: Final = {-3: RadioNotPermittedError, -6: RadioBusyError}


async def open_adapter(name: str, clock: Clock) -> BumbleRadio:
    """Open a real Bluetooth adapter, once; `immuni.ble.ReopeningRadio` opens it again and again.

    Args:
        name: Bumble's name of the way to it, such as ``usb:0``, ``hci-socket:0`` or
            ``serial:/dev/ttyACM0``.
        clock: Dates what is heard.

    Raises:
        UnsuitableRadioError: There is none of that name, it may not be opened, or it knows no
            advertising sets.
        RadioLostError: It does not answer.
    """
    try:
        async with asyncio.timeout(_OPEN_SECONDS):
            transport = await open_transport(name)
    except Exception as error:
        # Bumble lets through whatever its many libraries raise, and raises bare exceptions itself.
        raise _refusal(name, error) from error
    radio = BumbleRadio(
        QuietHost(transport.source, transport.sink), clock, give_back=lambda: _close(transport)
    )
    try:
        await radio.open()
    except BaseException:
        await radio.close()
        raise
    return radio


def _refusal(name: str, error: Exception) -> UnsuitableRadioError:
    reason = str(error) or type(error).__name__
    number = getattr(error, "value", None)
    kind = _LIBUSB_REFUSALS.get(number) if isinstance(number, int) else None
    if isinstance(error, OSError) and error.errno is not None:
        kind = _REFUSALS.get(error.errno)
    return (kind or UnsuitableRadioError)(f"cannot open the adapter {name!r}: {reason}")


async def _close(transport: Transport) -> None:
    # An adapter that was pulled out cannot be given back in order, and some transports say so.
    with suppress(Exception):
        async with asyncio.timeout(_OPEN_SECONDS):
            await transport.close()
