"""The risk models: from contacts to exposures, scores and what is told of them.

Version 1 scores exposures (`assess`), version 2 windows, which it sums up by day (`find_windows`,
`summarise_days`). Both say how a score comes about (`explain_exposure`, `explain_window`).
"""

from immuni.risk.assessment import (
    LONGEST_REPORTED,
    Assessment,
    ExposureDetectionSummary,
    ExposureInfo,
    assess,
)
from immuni.risk.buckets import Bucket
from immuni.risk.configuration import (
    IMMUNI_DEFAULT,
    MAX_TOTAL_RISK_SCORE,
    ExposureConfiguration,
    InvalidExposureConfigurationError,
)
from immuni.risk.contact import Contact, Sample
from immuni.risk.daily_configuration import (
    DailySummariesConfiguration,
    InvalidDailySummariesConfigurationError,
)
from immuni.risk.daily_summaries import DailySummary, ExposureSummary, summarise_days
from immuni.risk.exposures import SHORTEST_EXPOSURE, Exposure, find_exposures, in_steps
from immuni.risk.infectiousness import (
    DiagnosisKeysDataMapping,
    Infectiousness,
    InvalidDiagnosisKeysDataMappingError,
)
from immuni.risk.presets import (
    PRESETS,
    DailySummariesPreset,
    ExposurePreset,
    Preset,
    UnknownPresetError,
    preset,
)
from immuni.risk.rules import InvalidRiskConfigurationError
from immuni.risk.scores import ExposureExplanation, Factor, explain_exposure, total_risk_score
from immuni.risk.window_scores import Closeness, TimeInRange, WindowExplanation, explain_window
from immuni.risk.windows import (
    LONGEST_WINDOW,
    MOST_SECONDS_SINCE_LAST_SCAN,
    SECONDS_SINCE_UNKNOWN_SCAN,
    ExposureWindow,
    InvalidExposureWindowError,
    ScanInstance,
    find_windows,
)
from immuni.risk.words import in_words

__all__ = [
    "IMMUNI_DEFAULT",
    "LONGEST_REPORTED",
    "LONGEST_WINDOW",
    "MAX_TOTAL_RISK_SCORE",
    "MOST_SECONDS_SINCE_LAST_SCAN",
    "PRESETS",
    "SECONDS_SINCE_UNKNOWN_SCAN",
    "SHORTEST_EXPOSURE",
    "Assessment",
    "Bucket",
    "Closeness",
    "Contact",
    "DailySummariesConfiguration",
    "DailySummariesPreset",
    "DailySummary",
    "DiagnosisKeysDataMapping",
    "Exposure",
    "ExposureConfiguration",
    "ExposureDetectionSummary",
    "ExposureExplanation",
    "ExposureInfo",
    "ExposurePreset",
    "ExposureSummary",
    "ExposureWindow",
    "Factor",
    "Infectiousness",
    "InvalidDailySummariesConfigurationError",
    "InvalidDiagnosisKeysDataMappingError",
    "InvalidExposureConfigurationError",
    "InvalidExposureWindowError",
    "InvalidRiskConfigurationError",
    "Preset",
    "Sample",
    "ScanInstance",
    "TimeInRange",
    "UnknownPresetError",
    "WindowExplanation",
    "assess",
    "explain_exposure",
    "explain_window",
    "find_exposures",
    "find_windows",
    "in_steps",
    "in_words",
    "preset",
    "summarise_days",
    "total_risk_score",
]
