"""Risk configurations of real deployments, as they published them.

Only numbers that stand in a published source are here. They are data to start from and to compare
with: what was right for one country and one variant of a virus need not be right for another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

from immuni.errors import ImmuniError
from immuni.keys import ReportType
from immuni.risk.configuration import IMMUNI_DEFAULT, ExposureConfiguration
from immuni.risk.daily_configuration import DailySummariesConfiguration
from immuni.risk.infectiousness import DiagnosisKeysDataMapping, Infectiousness


class UnknownPresetError(ImmuniError, LookupError):
    """There is no preset of that name.

    Attributes:
        near: Names that are written much like it, the nearest first.
    """

    def __init__(self, name: str) -> None:
        self.near = tuple(get_close_matches(name.lower(), PRESETS))
        hint = f"did you mean {' or '.join(self.near)}?" if self.near else f"want {_NAMES}"
        super().__init__(f"no preset is called {name!r}: {hint}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposurePreset:
    """A configuration of the v1 model.

    Attributes:
        name: By which `preset` finds it.
        deployment: Whose it is.
        configuration: The parameters.
        warning_score: Total Risk Score from which the App warned; None where it decided otherwise.
        source: Where the numbers are published.
    """

    name: str
    deployment: str
    configuration: ExposureConfiguration
    warning_score: int | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DailySummariesPreset:
    """A configuration of the v2 model.

    Attributes:
        name: By which `preset` finds it.
        deployment: Whose it is.
        configuration: The parameters.
        mapping: What the keys' days and report types count as.
        warning_score: Sum of a day's scores from which the App warned.
        source: Where the numbers are published.
    """

    name: str
    deployment: str
    configuration: DailySummariesConfiguration
    mapping: DiagnosisKeysDataMapping
    warning_score: int
    source: str


Preset = ExposurePreset | DailySummariesPreset


def preset(name: str) -> Preset:
    """Return the preset of that name.

    Raises:
        UnknownPresetError: There is none; the message names those that are near.
    """
    if name not in PRESETS:
        raise UnknownPresetError(name)
    return PRESETS[name]


_IMMUNI: Final = ExposurePreset(
    name="immuni",
    deployment="Immuni, Italy; this project's default",
    configuration=IMMUNI_DEFAULT,
    warning_score=20,
    source="immuni-app/immuni-app-android, ConfigurationSettingsService.kt (66c92f13): "
    "defaultSettings",
)

_CORONA_WARN_APP: Final = ExposurePreset(
    name="corona-warn-app",
    deployment="Corona-Warn-App, Germany, while it used the v1 model",
    configuration=ExposureConfiguration(
        attenuation_thresholds=(55, 63),
        attenuation_bucket_scores=(0, 2, 2, 2, 2, 2, 2, 2),
        days_since_last_exposure_bucket_scores=(5,) * 8,
        duration_bucket_scores=(0, 0, 0, 1, 1, 1, 1, 1),
        transmission_risk_bucket_scores=(0, 0, 3, 4, 5, 6, 7, 8),
        minimum_risk_score=11,
        attenuation_weight=50,
        days_since_last_exposure_weight=20,
        duration_weight=50,
        transmission_risk_weight=50,
    ),
    # It multiplied the maximum score by the time in the three ranges, and decided by that.
    warning_score=None,
    source="corona-warn-app/cwa-server, services/distribution/src/main/resources/main-config: "
    "app-config.yaml (ce37c22a), attenuation-duration.yaml (b4b55f9e), exposure-config.yaml "
    "(752f6d7c)",
)

_KORONAVILKKU: Final = DailySummariesPreset(
    name="koronavilkku",
    deployment="Koronavilkku, Finland",
    configuration=DailySummariesConfiguration(
        attenuation_thresholds_db=(51, 63, 70),
        attenuation_weights=(1.25, 1.0, 0.5, 0.0),
        report_type_weights={
            ReportType.CONFIRMED_TEST: 1.0,
            ReportType.CONFIRMED_CLINICAL_DIAGNOSIS: 0.0,
            ReportType.SELF_REPORT: 0.0,
            ReportType.RECURSIVE: 0.0,
        },
        infectiousness_weights={Infectiousness.STANDARD: 0.625, Infectiousness.HIGH: 1.0},
        minimum_window_score=1.0,
        days_since_exposure_threshold=10,
    ),
    mapping=DiagnosisKeysDataMapping(
        days_since_onset_to_infectiousness={
            **dict.fromkeys(range(-2, 8), Infectiousness.HIGH),
            **dict.fromkeys(range(8, 11), Infectiousness.STANDARD),
        },
        infectiousness_when_days_since_onset_missing=Infectiousness.HIGH,
        report_type_when_missing=ReportType.CONFIRMED_TEST,
    ),
    warning_score=900,
    source="THLfi/koronavilkku-backend, exposure-notification/src/main/resources/db/migration/"
    "R__3_default_v2_exposure_configuration.sql (055ddea9); the report type when missing: "
    "THLfi/koronavilkku-android, GoogleExposureNotificationService.kt",
)

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {each.name: each for each in (_IMMUNI, _CORONA_WARN_APP, _KORONAVILKKU)}
)
"""By name."""
_NAMES: Final = ", ".join(PRESETS)
