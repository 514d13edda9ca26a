"""The risk model: from contacts to exposures, scores and what is told of them (version 1)."""

from immuni.risk.assessment import (
    LONGEST_REPORTED,
    Assessment,
    ExposureDetectionSummary,
    ExposureInfo,
    assess,
)
from immuni.risk.configuration import (
    IMMUNI_DEFAULT,
    MAX_TOTAL_RISK_SCORE,
    ExposureConfiguration,
    InvalidExposureConfigurationError,
)
from immuni.risk.contact import Contact, Sample
from immuni.risk.exposures import Exposure, find_exposures, in_steps
from immuni.risk.scores import total_risk_score

__all__ = [
    "IMMUNI_DEFAULT",
    "LONGEST_REPORTED",
    "MAX_TOTAL_RISK_SCORE",
    "Assessment",
    "Contact",
    "Exposure",
    "ExposureConfiguration",
    "ExposureDetectionSummary",
    "ExposureInfo",
    "InvalidExposureConfigurationError",
    "Sample",
    "assess",
    "find_exposures",
    "in_steps",
    "total_risk_score",
]
