"""Everything the App remembers, as one value that is replaced whole."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from immuni.api import ExposureInfoUpload, ProvinceCode
from immuni.app.analytics.memory import AnalyticsMemory
from immuni.app.dummies.memory import Opportunity
from immuni.app.lockout import FailedChecks
from immuni.app.notifications import Notification
from immuni.app.sent import Sent
from immuni.app.server_time import ServerTime
from immuni.app.settings import SettingsInForce
from immuni.app.state import Neutral, UserState


class OnboardingStep(StrEnum):
    """The steps from the first start to a working App, in their order."""

    WELCOME = "welcome"
    PRIVACY = "privacy"
    PROVINCE = "province"
    EXPOSURE_NOTIFICATIONS = "exposure-notifications"
    BLUETOOTH = "bluetooth"
    LOCATION = "location"
    NOTIFICATIONS = "notifications"
    LOCK = "lock"
    SCAMS = "scams"
    DONE = "done"


class CheckFailure(StrEnum):
    """Why a check for exposures could not be completed."""

    UNREACHABLE = "unreachable"
    UNEXPECTED_ANSWER = "unexpected_answer"
    CHUNK_NOT_SIGNED = "chunk_not_signed"
    CHUNK_DAMAGED = "chunk_damaged"
    QUOTA = "quota"
    FRAMEWORK = "framework"


class StoredSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a detection that matched, kept for an upload.

    Attributes:
        detected_on: UTC day of the detection.
        matched_key_count: How many published keys matched.
        last_exposure_day: UTC day of the latest Exposure; the upload counts its days anew.
        attenuation_durations: Seconds in each attenuation range, nearest first.
        maximum_risk_score: The highest Total Risk Score.
        infos: The single Exposures; empty where the maximum stayed below the threshold.
    """

    detected_on: date
    matched_key_count: int
    last_exposure_day: date
    attenuation_durations: tuple[int, ...]
    maximum_risk_score: int
    infos: tuple[ExposureInfoUpload, ...] = ()


class PastExposure(msgspec.Struct, frozen=True, kw_only=True):
    """A Risky Exposure that the user was told of, kept so that it can be read again.

    Attributes:
        day: UTC day of the contact.
        duration_seconds: Its estimated length, at most half an hour.
        attenuation_db: Its mean attenuation, a rough measure of distance.
    """

    day: date
    duration_seconds: int
    attenuation_db: int


class AppRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The whole memory of the App. It holds neither keys nor identifiers of people, nor codes.

    Attributes:
        onboarding: The steps that the user has completed.
        onboarded_at: When the last of them was completed.
        language: The language that the user chose, None for the system's.
        province: The Province of Domicile.
        user: Neutral, at risk or positive, as of the last change.
        settings: The settings in force.
        server_time: The phone's idea of the server's time.
        last_processed_chunk: Number of the last chunk that a detection covered.
        last_check: When a check for exposures was last completed.
        failure: Why the latest check was not completed, None when it was.
        summaries: Outcomes of detections, oldest first, for an upload.
        history: Contacts that the user was told of, latest first.
        notifications: What the user was told, oldest first.
        unseen: The notification that still stands on the screen.
        is_warning_seen: Whether the user has looked at the latest warning.
        failed_checks: Refused codes, for the lockout.
        first_start: When the App was started for the first time.
        next_session: When the next background session is due; None for at once.
        told: The latest notification that the desktop showed.
        analytics: When Operational Info was and will be sent.
        sent: What has left the phone and meant something, latest first.
        simulation: When the next simulated upload may start.
        is_silenced: Whether the App switched the radio off because the service has ended.
        end_told: The end of the service of which the user was told.
    """

    onboarding: frozenset[OnboardingStep] = frozenset()
    onboarded_at: datetime | None = None
    language: str | None = None
    province: ProvinceCode | None = None
    user: UserState = msgspec.field(default_factory=Neutral)
    settings: SettingsInForce = SettingsInForce()
    server_time: ServerTime | None = None
    last_processed_chunk: int | None = None
    last_check: datetime | None = None
    failure: CheckFailure | None = None
    summaries: tuple[StoredSummary, ...] = ()
    history: tuple[PastExposure, ...] = ()
    notifications: tuple[Notification, ...] = ()
    unseen: Notification | None = None
    is_warning_seen: bool = True
    failed_checks: FailedChecks = FailedChecks()
    first_start: datetime | None = None
    next_session: datetime | None = None
    told: Notification | None = None
    analytics: AnalyticsMemory = AnalyticsMemory()
    sent: tuple[Sent, ...] = ()
    simulation: Opportunity | None = None
    is_silenced: bool = False
    end_told: date | None = None
