"""What phones send to the Analytics Service.

Flags are the integers 0 and 1, so that a request's size does not tell them.

Source:
    HTTP API, "Analytics".
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from immuni.api.encoding import DeviceToken, Salt
from immuni.api.ingestion import CapitalPair, Padding
from immuni.api.limits import MAX_ATTESTATION_LENGTH, MAX_BUILD
from immuni.api.messages import Request, check_padding

Flag = Literal[0, 1]
Build = Annotated[int, Meta(ge=1, le=MAX_BUILD)]


class AnalyticsToken(Request, frozen=True, kw_only=True):
    """Body of ``POST /v1/analytics/apple/token``."""

    analytics_token: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$(?!\n)")]
    device_token: DeviceToken


class AppleOperationalInfo(Request, frozen=True, kw_only=True):
    """Body of ``POST /v1/analytics/apple/operational-info``.

    Attributes:
        last_risky_exposure_on: A fixed dummy date in an upload without exposure.
    """

    province: CapitalPair
    exposure_permission: Flag
    bluetooth_active: Flag
    notification_permission: Flag
    exposure_notification: Flag
    last_risky_exposure_on: date
    build: Build | UnsetType = UNSET
    padding: Padding = ""

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        check_padding(self.padding)


class GoogleOperationalInfo(AppleOperationalInfo, frozen=True, kw_only=True):
    """Body of ``POST /v1/analytics/google/operational-info``.

    Attributes:
        salt: Random bytes that went into the attestation's nonce.
        signed_attestation: The platform's own token.
    """

    salt: Salt
    signed_attestation: Annotated[str, Meta(max_length=MAX_ATTESTATION_LENGTH)]
