"""The Configuration Settings: names, defaults and ranges, for phones and for servers.

A phone takes what is valid of an answer (`read_settings`); a server publishes a set only when
every value in it is (`settings_faults`).

Source:
    Mobile Client, "Configuration Settings".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from immuni.api.limits import (
    MAX_BUILD,
    MAX_INFOS,
    MAX_PADDING_SIZE,
    MAX_SUMMARIES,
    MAX_TOTAL_RISK_SCORE,
)

_YEAR_SECONDS: Final = 366 * 86_400
_MAX_TEXT: Final = 2_000

Language = Annotated[str, Meta(pattern=r"^[a-z]{2}$(?!\n)")]
Link = Annotated[str, Meta(pattern=r"^https?://[!-~]{1,500}$(?!\n)")]
Links = dict[Language, Link]
Period = Annotated[int, Meta(ge=1, le=_YEAR_SECONDS)]
"""A length of time in whole seconds."""
MeanWait = Annotated[float, Meta(gt=0, le=_YEAR_SECONDS)]
"""Mean of an exponential waiting time, in seconds."""
Probability = Annotated[float, Meta(ge=0, le=1)]
BucketScore = Annotated[int, Meta(ge=0, le=8)]
BucketScores = Annotated[tuple[BucketScore, ...], Meta(min_length=8, max_length=8)]
Weight = Annotated[float, Meta(ge=0, le=100)]
Threshold = Annotated[int, Meta(ge=0, le=255)]
ContactText = Annotated[str, Meta(min_length=1, max_length=100)]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01]?[0-9]|2[0-3])(:[0-5][0-9])?$(?!\n)")]
UserState = Literal["neutral", "at_risk", "positive"]
Advice = dict[Language, dict[UserState, Annotated[str, Meta(max_length=_MAX_TEXT)]]]


class ExposureConfigurationValues(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """The setting `exposure_configuration`: the parameters of the v1 risk model.

    The defaults score a contact at no more than 63 dB for more than 15 minutes with 25, all else
    with 0.
    """

    attenuation_thresholds: Annotated[tuple[Threshold, ...], Meta(min_length=2, max_length=2)] = (
        50,
        70,
    )
    attenuation_bucket_scores: BucketScores = (0, 0, 5, 5, 5, 5, 5, 5)
    days_since_last_exposure_bucket_scores: BucketScores = (1,) * 8
    duration_bucket_scores: BucketScores = (0, 0, 0, 0, 5, 5, 5, 5)
    transmission_risk_bucket_scores: BucketScores = (1,) * 8
    attenuation_weight: Weight = 1
    days_since_last_exposure_weight: Weight = 1
    duration_weight: Weight = 1
    transmission_risk_weight: Weight = 1
    minimum_risk_score: Annotated[int, Meta(ge=0, le=MAX_TOTAL_RISK_SCORE)] = 1

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        near, far = self.attenuation_thresholds
        if near >= far:
            raise ValueError("attenuation_thresholds must ascend")


class ConfigurationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about phones that can be changed without a new build.

    Periods and waits are in seconds.

    Attributes:
        pn_url: Privacy notice by language; where a language is missing, the App's own copy serves.
        tou_url: Terms of use, likewise.
        faq_url: Questions and answers, likewise.
        advice: Language → state of the user → text, in place of the App's own words.
        active_regions: Regions in which the service has started; None means all.
        risk_duration: How long after the last contact a user counts as at risk.
        service_end_date: From this day on (UTC) there is no service; None means that it goes on.
    """

    minimum_build_version: Annotated[int, Meta(ge=1, le=MAX_BUILD)] = 1
    exposure_detection_period: Period = 14_400
    exposure_configuration: ExposureConfigurationValues = ExposureConfigurationValues()
    exposure_info_minimum_risk_score: Annotated[int, Meta(ge=1, le=MAX_TOTAL_RISK_SCORE)] = 20
    service_not_active_notification_period: Period = 86_400
    onboarding_not_completed_notification_period: Period = 86_400
    required_update_notification_period: Period = 86_400
    risk_reminder_notification_period: Period = 86_400
    pn_url: Links = {}
    tou_url: Links = {}
    faq_url: Links = {}
    operational_info_with_exposure_sampling_rate: Probability = 1.0
    operational_info_without_exposure_sampling_rate: Probability = 0.6
    dummy_analytics_waiting_time: MeanWait = 2_592_000
    dummy_teks_average_opportunity_waiting_time: MeanWait = 5_184_000
    dummy_teks_window_duration: Period = 1_209_600
    dummy_teks_average_start_waiting_time: MeanWait = 15
    dummy_teks_average_request_waiting_time: MeanWait = 10
    dummy_teks_request_probabilities: Annotated[
        tuple[Probability, ...], Meta(min_length=1, max_length=16)
    ] = (0.95, 0.1)
    teks_max_summary_count: Annotated[int, Meta(ge=0, le=MAX_SUMMARIES)] = 84
    teks_max_info_count: Annotated[int, Meta(ge=0, le=MAX_INFOS)] = 600
    teks_packet_size: Annotated[int, Meta(ge=20_000, le=MAX_PADDING_SIZE)] = 110_000
    support_email: ContactText | None = None
    support_phone: ContactText | None = None
    support_phone_opening_time: TimeOfDay | None = None
    support_phone_closing_time: TimeOfDay | None = None
    advice: Advice = {}
    active_regions: tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...] | None = None
    risk_duration: Period = 1_209_600
    service_end_date: date | None = None


@dataclass(frozen=True, slots=True)
class SettingFault:
    """What is wrong with one setting; the text repeats no value."""

    name: str
    fault: str


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """What a phone makes of an answer: settings to live by, and what it refused of them."""

    settings: ConfigurationSettings
    refused: tuple[SettingFault, ...]


def read_settings(
    values: Mapping[str, object], *, fallback: ConfigurationSettings | None = None
) -> ReadSettings:
    """Take what is valid of `values`.

    A setting that is missing takes its value from `fallback`, one that is invalid is refused alone,
    an unknown one is ignored.

    Args:
        values: Name → value, as decoded from JSON.
        fallback: Settings to fall back on; None means the compiled-in defaults.
    """
    valid: dict[str, Any] = {}
    refused: list[SettingFault] = []
    for name, kind in _kinds().items():
        if name in values:
            try:
                valid[name] = msgspec.convert(values[name], kind)
            except msgspec.ValidationError as error:
                refused.append(SettingFault(name, str(error)))
    base = fallback or ConfigurationSettings()
    return ReadSettings(msgspec.structs.replace(base, **valid), tuple(refused))


def settings_faults(values: Mapping[str, object]) -> list[SettingFault]:
    """Return everything that forbids publishing `values` as a set.

    Stricter than a phone: a name that is unknown is a fault, most likely a misspelt one.
    """
    unknown = [SettingFault(name, "unknown setting") for name in values if name not in _kinds()]
    return unknown + list(read_settings(values).refused)


@cache
def _kinds() -> dict[str, Any]:
    return {each.name: each.type for each in msgspec.structs.fields(ConfigurationSettings)}
