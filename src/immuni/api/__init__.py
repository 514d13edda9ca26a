"""The HTTP API as values: what phones, portal and services say to each other.

Parsing refuses whatever the API's rules refuse, as far as neither the time of day nor the territory
is needed for it; both sides use the same types.
"""

from immuni.api.analytics import AnalyticsToken, AppleOperationalInfo, GoogleOperationalInfo
from immuni.api.authorisation import OtpAuthorisation
from immuni.api.dates import earliest_today, is_recent, latest_today
from immuni.api.encoding import Base64Bytes, DeviceToken, KeyData, Salt
from immuni.api.errors import ErrorBody, ErrorCode, MalformedRequestError, error_message
from immuni.api.ingestion import (
    CheckOtp,
    ExposureDetectionSummaryUpload,
    ExposureInfoUpload,
    Tek,
    Upload,
)
from immuni.api.messages import (
    Answer,
    MalformedAnswerError,
    Request,
    encode,
    json_schemas,
    parse_answer,
    parse_request,
)
from immuni.api.nonce import attestation_nonce
from immuni.api.provinces import (
    Province,
    ProvinceCode,
    Region,
    Territory,
    UnknownProvinceError,
    italy,
)
from immuni.api.questions import Question, Questions
from immuni.api.reporting import ChunkIndex
from immuni.api.settings import (
    ConfigurationSettings,
    ExposureConfigurationValues,
    ReadSettings,
    SettingFault,
    read_settings,
    settings_faults,
)
from immuni.api.settings_signature import (
    Platform,
    SettingsRefusedError,
    SettingsStamp,
    verify_settings,
)

__all__ = [
    "AnalyticsToken",
    "Answer",
    "AppleOperationalInfo",
    "Base64Bytes",
    "CheckOtp",
    "ChunkIndex",
    "ConfigurationSettings",
    "DeviceToken",
    "ErrorBody",
    "ErrorCode",
    "ExposureConfigurationValues",
    "ExposureDetectionSummaryUpload",
    "ExposureInfoUpload",
    "GoogleOperationalInfo",
    "KeyData",
    "MalformedAnswerError",
    "MalformedRequestError",
    "OtpAuthorisation",
    "Platform",
    "Province",
    "ProvinceCode",
    "Question",
    "Questions",
    "ReadSettings",
    "Region",
    "Request",
    "Salt",
    "SettingFault",
    "SettingsRefusedError",
    "SettingsStamp",
    "Tek",
    "Territory",
    "UnknownProvinceError",
    "Upload",
    "attestation_nonce",
    "earliest_today",
    "encode",
    "error_message",
    "is_recent",
    "italy",
    "json_schemas",
    "latest_today",
    "parse_answer",
    "parse_request",
    "read_settings",
    "settings_faults",
    "verify_settings",
]
