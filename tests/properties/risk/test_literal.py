"""Both models against what their page says, written down a second time."""

from datetime import date, timedelta

from hypothesis import given

from immuni.risk import (
    DailySummariesConfiguration,
    DailySummary,
    DiagnosisKeysDataMapping,
    ExposureConfiguration,
    ExposureInfo,
    ExposureSummary,
    ExposureWindow,
    assess,
    find_windows,
    summarise_days,
)
from tests.properties.risk import literal, literal_windows
from tests.properties.risk.generated import (
    configurations,
    contacts,
    days_later,
    mappings,
    summary_configurations,
)
from tests.unit.risk.moments import START, Met

FIRST_DAY = date(1970, 1, 1)


def as_heard(met: Met) -> list[literal.Heard]:
    """Return what was heard in the words of the literal model."""
    return [
        literal.Heard(
            literal.seconds(one.at - literal.EPOCH),
            one.attenuation_db,
            one.rssi_dbm,
            int(one.interval),
            int(one.calibration_confidence),
            None if one.since_scan is None else literal.seconds(one.since_scan),
        )
        for one in met.samples
    ]


def number_of(day: date) -> int:
    """Return the days from 1970 to `day`."""
    return (day - FIRST_DAY).days


def as_tables(configuration: ExposureConfiguration) -> literal.Tables:
    """Return the parameters in the words of the literal model."""
    near, far = configuration.attenuation_thresholds
    return literal.Tables(
        (near, far),
        configuration.attenuation_bucket_scores,
        configuration.days_since_last_exposure_bucket_scores,
        configuration.duration_bucket_scores,
        configuration.transmission_risk_bucket_scores,
        configuration.minimum_risk_score,
    )


def as_literal_info(info: ExposureInfo) -> literal.Info:
    """Return an info in the words of the literal model."""
    return literal.Info(
        number_of(info.day),
        info.duration_seconds,
        info.attenuation_db,
        info.attenuation_durations_seconds,
        info.transmission_risk_level,
        info.total_risk_score,
    )


@given(contacts, configurations, days_later)
def test_version_one_does_what_its_page_says(
    met: list[Met], configuration: ExposureConfiguration, days: int
) -> None:
    now = START + timedelta(days=days)
    keys = [(contact.transmission_risk_level, as_heard(contact)) for contact in met]
    summary, infos = literal.assessed(keys, as_tables(configuration), number_of(now.date()))

    assessment = assess(met, configuration, now=now)

    told = [as_literal_info(info) for info in assessment.infos]
    assert sorted(told, key=repr) == sorted(infos, key=repr)
    assert (
        literal.Summary(
            assessment.summary.matched_key_count,
            assessment.summary.days_since_last_exposure,
            assessment.summary.attenuation_durations_seconds,
            assessment.summary.maximum_risk_score,
            assessment.summary.risk_score_sum,
        )
        == summary
    )


def as_keys(met: list[Met]) -> list[literal_windows.Key]:
    """Return contacts in the words of the literal model."""
    return [
        literal_windows.Key(
            int(contact.report_type), contact.days_since_onset_of_symptoms, as_heard(contact)
        )
        for contact in met
    ]


def as_meaning(mapping: DiagnosisKeysDataMapping) -> literal_windows.Meaning:
    """Return the mapping in the words of the literal model."""
    return literal_windows.Meaning(
        {day: int(degree) for day, degree in mapping.days_since_onset_to_infectiousness.items()},
        int(mapping.infectiousness_when_days_since_onset_missing),
        int(mapping.report_type_when_missing),
    )


def as_literal_window(window: ExposureWindow) -> literal_windows.Window:
    """Return a window in the words of the literal model."""
    return literal_windows.Window(
        number_of(window.day),
        int(window.report_type),
        int(window.infectiousness),
        int(window.calibration_confidence),
        tuple(
            (scan.typical_attenuation_db, scan.minimum_attenuation_db, scan.seconds_since_last_scan)
            for scan in window.scan_instances
        ),
    )


@given(contacts, mappings)
def test_windows_are_what_their_page_says(
    met: list[Met], mapping: DiagnosisKeysDataMapping
) -> None:
    windows = find_windows(met, mapping)

    assert [as_literal_window(window) for window in windows] == literal_windows.windows(
        as_keys(met), as_meaning(mapping)
    )


def as_weights(configuration: DailySummariesConfiguration) -> literal_windows.Weights:
    """Return the parameters in the words of the literal model."""
    return literal_windows.Weights(
        configuration.attenuation_thresholds_db,
        [str(weight) for weight in configuration.attenuation_weights],
        {int(kind): str(weight) for kind, weight in configuration.report_type_weights.items()},
        {int(kind): str(weight) for kind, weight in configuration.infectiousness_weights.items()},
        str(configuration.minimum_window_score),
        configuration.days_since_exposure_threshold,
    )


def as_sums(summary: ExposureSummary) -> tuple[float, ...]:
    """Return the three numbers of a summary."""
    return summary.maximum_score, summary.score_sum, summary.weighted_duration_sum_seconds


def told_of(summary: DailySummary) -> dict[int | None, tuple[float, ...]]:
    """Return the numbers of a day by report type, None being all."""
    told: dict[int | None, tuple[float, ...]] = {None: as_sums(summary.overall)}
    for kind, sums in summary.by_report_type.items():
        told[int(kind)] = as_sums(sums)
    return told


@given(contacts, mappings, summary_configurations, days_later)
def test_daily_summaries_are_what_their_page_says(
    met: list[Met],
    mapping: DiagnosisKeysDataMapping,
    configuration: DailySummariesConfiguration,
    days: int,
) -> None:
    now = START + timedelta(days=days)
    expected = literal_windows.daily(
        literal_windows.windows(as_keys(met), as_meaning(mapping)),
        as_weights(configuration),
        number_of(now.date()),
    )

    summaries = summarise_days(find_windows(met, mapping), configuration, now=now)

    assert [number_of(summary.day) for summary in summaries] == sorted(expected)
    for summary in summaries:
        of_day = expected[number_of(summary.day)]
        assert told_of(summary) == {
            kind: tuple(float(number) for number in sums) for kind, sums in of_day.items()
        }
