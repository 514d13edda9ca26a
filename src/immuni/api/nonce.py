"""What ties an Android attestation to the report that it came with.

Source:
    Analytics, "Android: attestation".
"""

from hashlib import sha256

from immuni.api.analytics import AppleOperationalInfo
from immuni.api.encoding import Salt


def attestation_nonce(info: AppleOperationalInfo, salt: Salt) -> bytes:
    """Return what a phone has its platform attest, and the service expects there.

    SafetyNet carries it in base64, Play Integrity in URL-safe base64.

    Args:
        info: The report; a member that is not in the hash can be changed without the phone, and
            must mean nothing.
        salt: Random bytes of the phone, new for each report.

    Layout:
        SHA-256 of the UTF-8 texts, without separators: province, exposure_permission,
        bluetooth_active, notification_permission, exposure_notification (each ``0`` or ``1``),
        last_risky_exposure_on (``YYYY-MM-DD``), salt (base64).
    """
    parts = (
        info.province,
        info.exposure_permission,
        info.bluetooth_active,
        info.notification_permission,
        info.exposure_notification,
        info.last_risky_exposure_on.isoformat(),
        salt.base64(),
    )
    return sha256("".join(map(str, parts)).encode()).digest()
