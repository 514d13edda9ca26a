"""What a phone's platform vouches with. A device that has neither reports nothing."""

from dataclasses import dataclass
from typing import Protocol

from immuni.api import DeviceToken
from immuni.errors import ImmuniError


class NotVouchedError(ImmuniError, RuntimeError):
    """The platform does not vouch now; nothing was sent."""


class DeviceCheck(Protocol):
    """Apple's, on iOS."""

    async def device_token(self) -> DeviceToken:
        """Return a token by which Apple knows this device, another one each time.

        Raises:
            NotVouchedError: Apple gives none.
        """
        ...


class Attestor(Protocol):
    """Play Integrity or its like, on Android."""

    async def attest(self, nonce: bytes) -> str:
        """Return what Google says of this device and App, for this one nonce of 32 bytes.

        All attestations of one device have one length.

        Raises:
            NotVouchedError: Google says nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Vouchers:
    """What there is on one device.

    Attributes:
        device_check: On iOS.
        attestor: On Android.
    """

    device_check: DeviceCheck | None = None
    attestor: Attestor | None = None
