"""What SafetyNet and Play Integrity must both say: of the same report, now, of our app.

Source:
    Analytics, "Android: attestation".
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from immuni.errors import ImmuniError

MAX_SKEW: Final = timedelta(minutes=10)
"""How far from the server's time, to either side, an attestation may have been made.

One made that far ahead is accepted again until twice this has passed.
"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Refusal(StrEnum):
    """Why an attestation was refused: counted, and told to nobody who sent it."""

    KIND = "kind"
    """Of a kind that is not accepted here, or of none."""
    FORM = "form"
    """Not as its specification says: too long, not canonical, a member missing or there twice."""
    HEADER = "header"
    """Asks for another algorithm than the pinned ones, for compression, or for an extension."""
    CERTIFICATE = "certificate"
    """The chain does not lead from Google's host to a root that is trusted."""
    DECRYPTION = "decryption"
    """Encrypted with none of our keys."""
    SIGNATURE = "signature"
    TIME = "time"
    NONCE = "nonce"
    """Made for another report."""
    APP = "app"
    """Made for another app, or for ours in a build that is not ours."""
    DEVICE = "device"
    """The device does not pass."""


class DeviceVerdict(StrEnum):
    """What may be asked of a device; the stronger includes the weaker."""

    STRONG = "MEETS_STRONG_INTEGRITY"
    DEVICE = "MEETS_DEVICE_INTEGRITY"


class AttestationRefusedError(ImmuniError, PermissionError):
    """An attestation does not vouch for its report, which must not be kept.

    Attributes:
        refusal: Why, in a word.
    """

    def __init__(self, refusal: Refusal) -> None:
        """Name the reason; nothing of what was sent goes into the message."""
        super().__init__(f"an attestation was refused: {refusal}")
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class AcceptedApp:
    """The app whose phones may report.

    Attributes:
        package_name: Its name, in the form of a Java package.
        certificate_digests: SHA-256 of each certificate that it may be signed with.
    """

    package_name: str
    certificate_digests: frozenset[bytes]

    def is_named(self, *package_names: str) -> bool:
        """Whether all names are its own."""
        return all(name == self.package_name for name in package_names)

    def is_signed_with(self, digests: Collection[bytes]) -> bool:
        """Whether an app with these certificates is signed, and by nobody else than this one."""
        return bool(digests) and self.certificate_digests.issuperset(digests)


def require(condition: bool, refusal: Refusal) -> None:  # noqa: FBT001 - reads as an assertion
    """Refuse unless a condition holds.

    Raises:
        AttestationRefusedError: It does not.
    """
    if not condition:
        raise AttestationRefusedError(refusal)


def is_timely(milliseconds: int, now: datetime) -> bool:
    """Whether a time is within `MAX_SKEW` of now, both ends included.

    Args:
        milliseconds: Since the Unix epoch; any integer.
        now: An aware datetime.
    """
    return abs(milliseconds - (now - _EPOCH) // _MILLISECOND) <= MAX_SKEW // _MILLISECOND
