"""The HIS portal: where a Healthcare Operator authorises the code that somebody dictates.

It has a database of its own, and reaches the services over HTTP only.
"""

from immuni.portal.accounts import AccountExistsError, InvalidUserError, Role
from immuni.portal.application import create_portal
from immuni.portal.otp_service import OtpServiceClient
from immuni.portal.passwords import WeakPasswordError
from immuni.portal.registration import create_account, ensure_account
from immuni.portal.settings import PortalSettings
from immuni.portal.site import InvalidPublicUrlError

__all__ = [
    "AccountExistsError",
    "InvalidPublicUrlError",
    "InvalidUserError",
    "OtpServiceClient",
    "PortalSettings",
    "Role",
    "WeakPasswordError",
    "create_account",
    "create_portal",
    "ensure_account",
]
