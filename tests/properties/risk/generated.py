"""Contacts, configurations and windows, made up at random but close to where the rules bend."""

from datetime import timedelta
from itertools import accumulate

from hypothesis import strategies as st

from immuni.crypto import CalibrationConfidence
from immuni.keys import ENIntervalNumber, ReportType
from immuni.risk import (
    DailySummariesConfiguration,
    DiagnosisKeysDataMapping,
    ExposureConfiguration,
    Infectiousness,
)
from tests.unit.risk.moments import NOON, START, Met, Moment

bucket_scores = st.lists(st.integers(0, 8), min_size=8, max_size=8).map(tuple)


def thresholds(count: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Return ascending attenuations, most of them where phones are heard."""
    limit = st.integers(0, 100) | st.integers(0, 255)
    limits = st.lists(limit, min_size=count, max_size=count, unique=True)
    return limits.map(lambda found: tuple(sorted(found)))


configurations = st.builds(
    ExposureConfiguration,
    attenuation_thresholds=thresholds(2),
    attenuation_bucket_scores=bucket_scores,
    days_since_last_exposure_bucket_scores=bucket_scores,
    duration_bucket_scores=bucket_scores,
    transmission_risk_bucket_scores=bucket_scores,
    minimum_risk_score=st.sampled_from([0, 1, 11, 24, 25, 26]) | st.integers(0, 4096),
)

_gaps = st.sampled_from(
    [0, 0, 1, 25.5, 25.500001, 150, 150.000001, 299, 300, 300, 300, 450, 600, 600.000001, 1499.5,
     1800, 1800.000001, 7200]
) | st.integers(0, 2000)  # fmt: skip
_since_scan = st.none() | st.sampled_from(
    [timedelta(seconds=each) for each in (0, 29.9, 30, 89, 90, 150, 210, 269.9, 270, 300, 3600)]
)
# From noon: the same identifier, the next ones, and those on both sides of midnight.
_identifiers = st.sampled_from([0, 0, 0, 1, 2, 3, 71, 72])
_losses = st.sampled_from(
    [0, 10, 11, 15, 16, 27, 28, 33, 34, 50, 51, 52, 63, 64, 73, 74]
) | st.integers(0, 147)  # fmt: skip
_heard = st.tuples(
    _losses,
    st.integers(-127, 20) | st.just(-70),
    _identifiers,
    st.sampled_from(CalibrationConfidence),
    _since_scan,
)


def _moments(gaps: list[float], heard: list[tuple[int, int, int, CalibrationConfidence,
                                                  timedelta | None]]) -> list[Moment]:  # fmt: skip
    return [
        Moment(
            START + timedelta(seconds=second),
            loss,
            rssi_dbm,
            ENIntervalNumber(NOON + identifier),
            confidence,
            since_scan,
        )
        for second, (loss, rssi_dbm, identifier, confidence, since_scan) in zip(
            accumulate(gaps), heard, strict=False
        )
    ]


moments = st.builds(_moments, st.lists(_gaps, max_size=20), st.lists(_heard, max_size=20))
contacts = st.lists(
    st.builds(
        Met,
        moments,
        st.integers(0, 8),
        st.sampled_from(ReportType),
        st.none() | st.integers(-15, 15),
    ),
    max_size=4,
)

mappings = st.builds(
    DiagnosisKeysDataMapping,
    days_since_onset_to_infectiousness=st.dictionaries(
        st.integers(-14, 14), st.sampled_from(Infectiousness)
    ),
    infectiousness_when_days_since_onset_missing=st.sampled_from(Infectiousness),
    report_type_when_missing=st.sampled_from([ReportType(1), ReportType(2), ReportType(3)]),
)
weights = st.sampled_from([0, 0.1, 0.3, 0.625, 1, 1.0, 1.75, 2.5]) | st.floats(0, 2.5)
summary_configurations = st.builds(
    DailySummariesConfiguration,
    attenuation_thresholds_db=thresholds(3),
    attenuation_weights=st.tuples(weights, weights, weights, weights),
    report_type_weights=st.dictionaries(
        st.sampled_from([ReportType(1), ReportType(2), ReportType(3), ReportType(4)]), weights
    ),
    infectiousness_weights=st.dictionaries(st.sampled_from(Infectiousness), weights),
    minimum_window_score=st.sampled_from([0, 1, 9, 300, 900.5]) | st.floats(0, 2000),
    days_since_exposure_threshold=st.integers(0, 16),
)
days_later = st.integers(-1, 20)
