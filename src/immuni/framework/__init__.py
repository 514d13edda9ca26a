"""The A/G Framework of one device: keys, encrypted store, radio duty, detection."""

from immuni.framework.detection import RefusedExportError
from immuni.framework.encrypted_database import (
    CorruptStoreError,
    EncryptedDatabase,
    StoreError,
    StoreFullError,
    StoreInUseError,
    StoreLockedError,
)
from immuni.framework.framework import (
    MAX_DETECTIONS_PER_DAY,
    ConsentRefusedError,
    DetectionQuotaError,
    ExposureNotificationFramework,
    Question,
    UntrustedClockError,
    UserNotToldError,
)
from immuni.framework.key_store import (
    STORE_KEY_LENGTH,
    ExposedKeyError,
    FileKeyStore,
    InvalidStoreKeyError,
    KeyStore,
)
from immuni.framework.life import Phone, live_until, run
from immuni.framework.status import InactiveReason, Status
from immuni.framework.store import RETENTION, Store

__all__ = [
    "MAX_DETECTIONS_PER_DAY",
    "RETENTION",
    "STORE_KEY_LENGTH",
    "ConsentRefusedError",
    "CorruptStoreError",
    "DetectionQuotaError",
    "EncryptedDatabase",
    "ExposedKeyError",
    "ExposureNotificationFramework",
    "FileKeyStore",
    "InactiveReason",
    "InvalidStoreKeyError",
    "KeyStore",
    "Phone",
    "Question",
    "RefusedExportError",
    "Status",
    "Store",
    "StoreError",
    "StoreFullError",
    "StoreInUseError",
    "StoreLockedError",
    "UntrustedClockError",
    "UserNotToldError",
    "live_until",
    "run",
]
