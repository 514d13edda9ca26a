"""What holds for every contact under every configuration of the v2 model."""

import json
from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from immuni.keys import ReportType
from immuni.risk import (
    DailySummariesConfiguration,
    DiagnosisKeysDataMapping,
    find_windows,
    summarise_days,
)
from tests.properties.risk.generated import (
    contacts,
    mappings,
    summary_configurations,
    weights,
)
from tests.unit.risk.moments import START, Met


@given(contacts, mappings)
def test_windows_stay_in_their_ranges(met: list[Met], mapping: DiagnosisKeysDataMapping) -> None:
    for window in find_windows(met, mapping):
        assert window.report_type not in {
            ReportType.UNKNOWN,
            ReportType.RECURSIVE,
            ReportType.REVOKED,
        }
        assert window.scan_instances
        for scan in window.scan_instances:
            assert scan.seconds_since_last_scan in range(0, 301, 60)
            assert 0 <= scan.minimum_attenuation_db <= scan.typical_attenuation_db <= 147


@given(contacts, mappings, summary_configurations)
def test_no_summary_is_more_than_the_sum_of_its_parts(
    met: list[Met], mapping: DiagnosisKeysDataMapping, configuration: DailySummariesConfiguration
) -> None:
    for summary in summarise_days(find_windows(met, mapping), configuration, now=START):
        parts = summary.by_report_type.values()

        assert 0 < summary.overall.maximum_score <= summary.overall.score_sum
        assert summary.overall.maximum_score >= configuration.minimum_window_score
        assert summary.overall.maximum_score == max(part.maximum_score for part in parts)
        assert summary.overall.score_sum >= max(part.score_sum for part in parts)


@given(contacts, mappings, summary_configurations, st.randoms(use_true_random=False))
def test_neither_windows_nor_summaries_tell_the_order_of_keys_and_sightings(
    met: list[Met],
    mapping: DiagnosisKeysDataMapping,
    configuration: DailySummariesConfiguration,
    chance: Random,
) -> None:
    mixed = [
        replace(contact, samples=chance.sample(contact.samples, len(contact.samples)))
        for contact in chance.sample(met, len(met))
    ]
    windows = find_windows(met, mapping)

    assert find_windows(mixed, mapping) == windows
    assert summarise_days(
        chance.sample(windows, len(windows)), configuration, now=START
    ) == summarise_days(windows, configuration, now=START)


def total(
    met: list[Met], mapping: DiagnosisKeysDataMapping, configuration: DailySummariesConfiguration
) -> float:
    """Return the score of all days together."""
    summaries = summarise_days(find_windows(met, mapping), configuration, now=START)
    return sum(summary.overall.score_sum for summary in summaries)


@given(contacts, mappings, summary_configurations, st.integers(1, 60))
def test_being_further_away_never_scores_more_where_nearer_ranges_weigh_more(
    met: list[Met],
    mapping: DiagnosisKeysDataMapping,
    configuration: DailySummariesConfiguration,
    further_db: int,
) -> None:
    falling = tuple(sorted(configuration.attenuation_weights, reverse=True))
    configuration = replace(configuration, attenuation_weights=falling)
    away = [
        replace(
            contact,
            samples=[
                replace(one, attenuation_db=one.attenuation_db + further_db)
                for one in contact.samples
            ],
        )
        for contact in met
    ]

    assert total(away, mapping, configuration) <= total(met, mapping, configuration)


@given(contacts, mappings, summary_configurations, st.integers(0, 300))
def test_being_heard_for_longer_never_scores_less(
    met: list[Met],
    mapping: DiagnosisKeysDataMapping,
    configuration: DailySummariesConfiguration,
    seconds: int,
) -> None:
    longer = [
        replace(
            contact,
            samples=[
                replace(
                    one,
                    since_scan=(
                        None
                        if one.since_scan is None
                        else one.since_scan + timedelta(seconds=seconds)
                    ),
                )
                for one in contact.samples
            ],
        )
        for contact in met
    ]

    assert total(longer, mapping, configuration) >= total(met, mapping, configuration)


@given(summary_configurations, mappings, weights)
def test_settings_are_read_as_they_are_written(
    configuration: DailySummariesConfiguration, mapping: DiagnosisKeysDataMapping, weight: float
) -> None:
    configuration = replace(configuration, attenuation_weights=(weight,) * 4)
    written = json.loads(json.dumps([configuration.to_setting(), mapping.to_setting()]))

    assert DailySummariesConfiguration.parse(written[0]) == configuration
    assert DiagnosisKeysDataMapping.parse(written[1]) == mapping
