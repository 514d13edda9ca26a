"""What holds for every contact under every configuration of the v1 model."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from immuni.risk import ExposureConfiguration, assess, find_exposures
from tests.properties.risk.generated import configurations, contacts, days_later, moments
from tests.unit.risk.moments import START, Met, Moment, meeting

ONES = (1,) * 8
ASCENDING = tuple(range(8))
NEUTRAL = ExposureConfiguration(
    attenuation_thresholds=(50, 70),
    attenuation_bucket_scores=ONES,
    days_since_last_exposure_bucket_scores=ONES,
    duration_bucket_scores=ONES,
    transmission_risk_bucket_scores=ONES,
    minimum_risk_score=0,
)


@given(contacts, configurations, days_later)
def test_what_is_told_stays_in_its_ranges(
    met: list[Met], configuration: ExposureConfiguration, days: int
) -> None:
    assessment = assess(met, configuration, now=START + timedelta(days=days))
    infos, summary = assessment.infos, assessment.summary

    for info in infos:
        assert info.duration_seconds in range(300, 1801, 300)
        assert all(time in range(0, 1801, 300) for time in info.attenuation_durations_seconds)
        assert 0 <= info.attenuation_db <= 147
        assert 0 <= info.total_risk_score <= 4096
        assert not 0 < info.total_risk_score < configuration.minimum_risk_score
    assert summary.matched_key_count == sum(bool(contact.samples) for contact in met)
    assert summary.maximum_risk_score == max((i.total_risk_score for i in infos), default=0)
    assert summary.risk_score_sum == sum(i.total_risk_score for i in infos)
    assert all(time in range(0, 1801, 300) for time in summary.attenuation_durations_seconds)


@given(moments)
def test_exposures_lie_apart_and_their_ranges_add_up(heard: list[Moment]) -> None:
    for exposure in find_exposures(heard, (50, 70)):
        exact = sum(exposure.attenuation_durations, timedelta())

        assert abs(exposure.duration - exact) <= timedelta(seconds=150)
        assert min(m.attenuation_db for m in heard) <= exposure.attenuation_db
        assert exposure.attenuation_db <= max(m.attenuation_db for m in heard)


@given(contacts, configurations, st.randoms(use_true_random=False))
def test_the_order_in_which_keys_and_sightings_come_changes_nothing(
    met: list[Met], configuration: ExposureConfiguration, chance: Random
) -> None:
    mixed = [
        replace(contact, samples=chance.sample(contact.samples, len(contact.samples)))
        for contact in chance.sample(met, len(met))
    ]

    assert assess(mixed, configuration, now=START) == assess(met, configuration, now=START)


@given(moments, st.integers(1, 60))
def test_being_further_away_never_scores_more_where_nearer_buckets_score_more(
    heard: list[Moment], further_db: int
) -> None:
    nearer_scores_more = replace(NEUTRAL, attenuation_bucket_scores=ASCENDING)
    away = [replace(m, attenuation_db=m.attenuation_db + further_db) for m in heard]

    near = assess([Met(heard)], nearer_scores_more, now=START).summary.risk_score_sum
    far = assess([Met(away)], nearer_scores_more, now=START).summary.risk_score_sum

    assert far <= near


@given(st.integers(1, 60), st.integers(0, 30), st.integers(0, 147))
def test_staying_longer_never_scores_less_where_longer_buckets_score_more(
    minutes: int, longer: int, attenuation_db: int
) -> None:
    longer_scores_more = replace(NEUTRAL, duration_bucket_scores=ASCENDING)

    short = assess([Met(meeting(minutes, attenuation_db))], longer_scores_more, now=START)
    long = assess([Met(meeting(minutes + longer, attenuation_db))], longer_scores_more, now=START)

    assert long.summary.maximum_risk_score >= short.summary.maximum_risk_score


@given(contacts, st.integers(0, 20), st.integers(0, 20))
def test_time_that_passes_never_adds_to_a_score_where_recent_buckets_score_more(
    met: list[Met], days: int, later: int
) -> None:
    recent_scores_more = replace(NEUTRAL, days_since_last_exposure_bucket_scores=ASCENDING)
    now = START + timedelta(days=days)

    soon = assess(met, recent_scores_more, now=now).summary
    late = assess(met, recent_scores_more, now=now + timedelta(days=later)).summary

    assert late.risk_score_sum <= soon.risk_score_sum
    assert late.maximum_risk_score <= soon.maximum_risk_score
