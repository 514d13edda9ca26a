"""The App of one phone: what it asks of the servers, decides, remembers and shows."""

from immuni.app.build import Build, pinned_tls
from immuni.app.contents import UploadContents
from immuni.app.notifications import Notification, NotificationKind
from immuni.app.phone import Phone
from immuni.app.record import AppRecord, CheckFailure, OnboardingStep, PastExposure
from immuni.app.state import AtRisk, Neutral, Positive, UserState
from immuni.app.status import PhoneStatus, ServiceIssue
from immuni.app.storage import AppStore, UnreadableRecordError
from immuni.app.transport import ServerUnreachableError
from immuni.app.upload_errors import (
    CheckLockedError,
    CodeExpiredError,
    CodeNotAuthorisedError,
    ServerBusyError,
    ServerRefusedError,
    UploadError,
    UploadOrderError,
)

__all__ = [
    "AppRecord",
    "AppStore",
    "AtRisk",
    "Build",
    "CheckFailure",
    "CheckLockedError",
    "CodeExpiredError",
    "CodeNotAuthorisedError",
    "Neutral",
    "Notification",
    "NotificationKind",
    "OnboardingStep",
    "PastExposure",
    "Phone",
    "PhoneStatus",
    "Positive",
    "ServerBusyError",
    "ServerRefusedError",
    "ServerUnreachableError",
    "ServiceIssue",
    "UnreadableRecordError",
    "UploadContents",
    "UploadError",
    "UploadOrderError",
    "UserState",
    "pinned_tls",
]
