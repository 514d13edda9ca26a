"""Requests and answers as they come and go, for the documents.

A test sends them to the services, which take them at noon (UTC) of the 20th of June 2020.
"""

from datetime import UTC, date, datetime
from typing import Final

from immuni.api.analytics import AnalyticsToken, AppleOperationalInfo, GoogleOperationalInfo
from immuni.api.authorisation import OtpAuthorisation
from immuni.api.encoding import DeviceToken, KeyData, Salt
from immuni.api.ingestion import (
    CheckOtp,
    ExposureDetectionSummaryUpload,
    ExposureInfoUpload,
    Tek,
    Upload,
)
from immuni.api.questions import Question, Questions
from immuni.api.reporting import ChunkIndex
from immuni.api.settings_authoring import (
    CheckSettings,
    EntryToPublish,
    Publication,
    PublishedEntry,
    PublishedSettings,
    PublishSettings,
    SettingsChange,
    SettingsCheck,
    SettingsHistory,
    SettingsReceipt,
)
from immuni.api.settings_signature import Platform

_CONTACT_ON: Final = date(2020, 6, 9)
_ANALYTICS_TOKEN: Final = "3c" * 64

OTP: Final = "5S44ZF9W37"
OTP_BEARER: Final = (
    "Bearer 025038a4b2cb55660a302f5f2e09a4681c292871040ad0bb3a7957c153640070"  # of `OTP`
)
ANALYTICS_BEARER: Final = f"Bearer {_ANALYTICS_TOKEN}"
CLIENT_CLOCK: Final = "1592654400"
REQUEST_ID: Final = "5f0c1f1e-8a0b-4a37-9f0e-0d8a3f3c2b11"

OTP_AUTHORISATION: Final = OtpAuthorisation(otp=OTP, symptoms_started_on=date(2020, 6, 16))
CHECK_OTP: Final = CheckOtp(padding="x" * 8)
UPLOAD: Final = Upload(
    teks=(
        Tek(key_data=KeyData(bytes(range(16))), rolling_start_number=2654064),
        Tek(
            key_data=KeyData(bytes(range(16, 32))), rolling_start_number=2654208, rolling_period=96
        ),
    ),
    province="RM",
    exposure_detection_summaries=(
        ExposureDetectionSummaryUpload(
            date=date(2020, 6, 19),
            matched_key_count=1,
            days_since_last_exposure=10,
            attenuation_durations=(600, 300, 0),
            maximum_risk_score=25,
            exposure_info=(
                ExposureInfoUpload(
                    date=_CONTACT_ON,
                    duration=900,
                    attenuation_value=57,
                    attenuation_durations=(600, 300, 0),
                    transmission_risk_level=1,
                    total_risk_score=25,
                ),
            ),
        ),
    ),
    padding="x" * 8,
)
ANALYTICS_TOKEN: Final = AnalyticsToken(
    analytics_token=_ANALYTICS_TOKEN, device_token=DeviceToken(b"DeviceCheck's token")
)
APPLE_INFO: Final = AppleOperationalInfo(
    province="RM",
    exposure_permission=1,
    bluetooth_active=1,
    notification_permission=1,
    exposure_notification=1,
    last_risky_exposure_on=_CONTACT_ON,
    build=7,
    padding="x" * 8,
)
GOOGLE_INFO: Final = GoogleOperationalInfo(
    province="RM",
    exposure_permission=1,
    bluetooth_active=1,
    notification_permission=1,
    exposure_notification=1,
    last_risky_exposure_on=_CONTACT_ON,
    build=7,
    padding="x" * 8,
    salt=Salt(bytes(range(32, 48))),
    signed_attestation="header.payload.signature",
)
CHUNK_INDEX: Final = ChunkIndex(oldest=3, newest=87)
QUESTIONS: Final = Questions(
    faqs=(Question(title="Does Immuni know where I am?", content="No. It uses no positions."),)
)
SETTINGS: Final = {
    "exposure_detection_period": 14400,
    "faq_url": {"it": "https://example.org/it/faq.json", "en": "https://example.org/en/faq.json"},
    "operational_info_with_exposure_sampling_rate": 0.5,
}
"""What is published; everything else is at its default."""

_ENTRY: Final = EntryToPublish(
    platform=Platform.ANDROID, name="minimum_build_version", from_build=1, value=120
)
_PUBLISHED_ENTRY: Final = PublishedEntry(
    platform=Platform.ANDROID,
    name="minimum_build_version",
    from_build=1,
    value=120,
    withdrawn=False,
)
_DANGER: Final = "android from build 1: builds below 120 detect no more until they are updated"
SETTINGS_IN_FORCE: Final = PublishedSettings(version=1, entries=(_PUBLISHED_ENTRY,))
SETTINGS_HISTORY: Final = SettingsHistory(
    publications=(
        Publication(
            version=1,
            published_at=datetime(2020, 6, 20, 12, tzinfo=UTC),
            author="ada",
            approver="grace",
            reason="Builds before 120 crash.",
            entry_count=1,
        ),
    )
)
CHECK_SETTINGS: Final = CheckSettings(entries=(_ENTRY,))
SETTINGS_CHECK: Final = SettingsCheck(
    against=0,
    faults=(),
    changes=(SettingsChange(before=None, after=_PUBLISHED_ENTRY),),
    dangers=(_DANGER,),
)
PUBLISH_SETTINGS: Final = PublishSettings(
    entries=(_ENTRY,),
    based_on=0,
    author="ada",
    approver="grace",
    reason="Builds before 120 crash.",
    dangers=(_DANGER,),
)
SETTINGS_RECEIPT: Final = SettingsReceipt(version=1)
