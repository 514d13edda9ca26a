"""The A/G Framework of one device: keys, encrypted store, radio duty, detection."""

from immuni.framework.detecting import MAX_DETECTIONS_PER_DAY, MAX_WINDOW_DETECTIONS_PER_DAY
from immuni.framework.detection import RefusedExportError
from immuni.framework.duties.life import OnFault, Phone, keep_living, live_until, run
from immuni.framework.duties.pausing import NaiveInstantError
from immuni.framework.framework import ExposureNotificationFramework
from immuni.framework.radio_use import CpuSeconds, MeteredRadio, RadioUse
from immuni.framework.refusals import (
    ConsentRefusedError,
    DetectionQuotaError,
    Question,
    UntrustedClockError,
    UserNotToldError,
)
from immuni.framework.status import InactiveReason, Status
from immuni.framework.store import RETENTION, Store
from immuni.framework.store.encrypted_database import (
    CorruptStoreError,
    EncryptedDatabase,
    StoreError,
    StoreFullError,
    StoreInUseError,
    StoreLockedError,
)
from immuni.framework.store.key_store import (
    STORE_KEY_LENGTH,
    ExposedKeyError,
    FileKeyStore,
    InvalidStoreKeyError,
    KeyStore,
    KeyStoreError,
)
from immuni.framework.store.keyring_key_store import (
    KeyringKeyStore,
    KeyringUnavailableError,
    key_store_for,
)
from immuni.framework.store.salvage import Salvaged, Soundness, begin_anew, examine, salvage
from immuni.framework.store.schema import NewerStoreError

__all__ = [
    "MAX_DETECTIONS_PER_DAY",
    "MAX_WINDOW_DETECTIONS_PER_DAY",
    "RETENTION",
    "STORE_KEY_LENGTH",
    "ConsentRefusedError",
    "CorruptStoreError",
    "CpuSeconds",
    "DetectionQuotaError",
    "EncryptedDatabase",
    "ExposedKeyError",
    "ExposureNotificationFramework",
    "FileKeyStore",
    "InactiveReason",
    "InvalidStoreKeyError",
    "KeyStore",
    "KeyStoreError",
    "KeyringKeyStore",
    "KeyringUnavailableError",
    "MeteredRadio",
    "NaiveInstantError",
    "NewerStoreError",
    "OnFault",
    "Phone",
    "Question",
    "RadioUse",
    "RefusedExportError",
    "Salvaged",
    "Soundness",
    "Status",
    "Store",
    "StoreError",
    "StoreFullError",
    "StoreInUseError",
    "StoreLockedError",
    "UntrustedClockError",
    "UserNotToldError",
    "begin_anew",
    "examine",
    "keep_living",
    "key_store_for",
    "live_until",
    "run",
    "salvage",
]
