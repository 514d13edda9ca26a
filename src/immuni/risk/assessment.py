"""What a detection tells: one summary, and one info for each exposure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from immuni.risk.configuration import ExposureConfiguration
from immuni.risk.contact import Contact
from immuni.risk.days import days_since, today_at
from immuni.risk.exposures import Exposure, find_exposures, in_steps
from immuni.risk.scores import total_risk_score

LONGEST_REPORTED: Final = timedelta(seconds=1800)
"""No duration that is told exceeds it, so that long contacts look alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureInfo:
    """What is told of one exposure.

    Attributes:
        day: UTC day on which it began.
        duration_seconds: In steps of 300, at most 1800.
        attenuation_db: Time-weighted mean.
        attenuation_durations_seconds: Time in each range of attenuation, nearest first; in steps
            of 300, at most 1800 each.
        transmission_risk_level: That of the key, 0..8.
        total_risk_score: 0..4096; computed from the uncapped duration.

    Privacy:
        Names no key and no identifier, and no time finer than a day.
    """

    day: date
    duration_seconds: int
    attenuation_db: int
    attenuation_durations_seconds: tuple[int, int, int]
    transmission_risk_level: int
    total_risk_score: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureDetectionSummary:
    """What is told of all exposures of one detection.

    Attributes:
        matched_key_count: Number of keys to which there was an exposure.
        days_since_last_exposure: Whole UTC days; 0, and meaningless, where nothing matched.
        attenuation_durations_seconds: Time in each range of attenuation, nearest first, summed
            over all exposures; in steps of 300, at most 1800 each.
        maximum_risk_score: Of all exposures.
        risk_score_sum: Of all exposures.
    """

    matched_key_count: int
    days_since_last_exposure: int
    attenuation_durations_seconds: tuple[int, int, int]
    maximum_risk_score: int
    risk_score_sum: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """The outcome of one detection.

    Attributes:
        summary: Of everything that matched.
        infos: By day, then by score, then by the rest of what they tell, so that their order does
            not tell which share a key.
    """

    summary: ExposureDetectionSummary
    infos: tuple[ExposureInfo, ...]


def assess(
    contacts: Iterable[Contact], configuration: ExposureConfiguration, *, now: datetime
) -> Assessment:
    """Score all contacts of one detection.

    Args:
        contacts: One for each key that matched.
        configuration: The parameters of the model.
        now: The time of the detection, aware.

    Raises:
        ValueError: `now` is naive.

    Source:
        Risk model v1, "summary and info".
    """
    today = today_at(now)
    found = [
        (contact, find_exposures(contact.samples, configuration.attenuation_thresholds))
        for contact in contacts
    ]
    infos = [
        _info(exposure, contact.transmission_risk_level, configuration, today)
        for contact, exposures in found
        for exposure in exposures
    ]
    infos.sort(key=_place)
    summary = _summary([exposures for _, exposures in found if exposures], infos, today)
    return Assessment(summary, tuple(infos))


def _info(
    exposure: Exposure, level: int, configuration: ExposureConfiguration, today: date
) -> ExposureInfo:
    return ExposureInfo(
        day=exposure.day,
        duration_seconds=_reported(exposure.duration),
        attenuation_db=exposure.attenuation_db,
        attenuation_durations_seconds=_reported_each(exposure.attenuation_durations),
        transmission_risk_level=level,
        total_risk_score=total_risk_score(
            configuration,
            attenuation_db=exposure.attenuation_db,
            days_since_exposure=days_since(exposure.day, today),
            duration=exposure.duration,
            transmission_risk_level=level,
        ),
    )


def _place(info: ExposureInfo) -> tuple[object, ...]:
    """Return what puts infos in order: everything that they tell, and nothing else."""
    return (
        info.day,
        -info.total_risk_score,
        -info.duration_seconds,
        info.attenuation_db,
        info.attenuation_durations_seconds,
        info.transmission_risk_level,
    )


def _summary(
    matched: Sequence[Sequence[Exposure]], infos: Sequence[ExposureInfo], today: date
) -> ExposureDetectionSummary:
    near, medium, far = timedelta(), timedelta(), timedelta()
    for exposure in (exposure for exposures in matched for exposure in exposures):
        times = exposure.attenuation_durations
        near, medium, far = near + times[0], medium + times[1], far + times[2]
    return ExposureDetectionSummary(
        matched_key_count=len(matched),
        days_since_last_exposure=min((days_since(info.day, today) for info in infos), default=0),
        attenuation_durations_seconds=_reported_each((near, medium, far)),
        maximum_risk_score=max((info.total_risk_score for info in infos), default=0),
        risk_score_sum=sum(info.total_risk_score for info in infos),
    )


def _reported(duration: timedelta) -> int:
    return min(in_steps(duration), LONGEST_REPORTED) // timedelta(seconds=1)


def _reported_each(durations: tuple[timedelta, timedelta, timedelta]) -> tuple[int, int, int]:
    near, medium, far = durations
    return _reported(near), _reported(medium), _reported(far)
