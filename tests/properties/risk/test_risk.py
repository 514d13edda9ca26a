"""What holds for every contact under every configuration."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from immuni.risk import ExposureConfiguration, assess, find_exposures
from tests.unit.risk.moments import START, Met, Moment, moment

bucket_scores = st.lists(st.integers(0, 8), min_size=8, max_size=8).map(tuple)
configurations = st.builds(
    ExposureConfiguration,
    attenuation_thresholds=st.lists(st.integers(0, 255), min_size=2, max_size=2, unique=True).map(
        lambda limits: tuple(sorted(limits))
    ),
    attenuation_bucket_scores=bucket_scores,
    days_since_last_exposure_bucket_scores=bucket_scores,
    duration_bucket_scores=bucket_scores,
    transmission_risk_bucket_scores=bucket_scores,
    minimum_risk_score=st.integers(0, 4096),
)
moments = st.lists(
    st.builds(
        moment,
        st.integers(0, 20_000),
        st.integers(0, 147),
        rssi_dbm=st.integers(-127, 20),
        identifier=st.integers(0, 30),
    ),
    max_size=30,
)
contacts = st.lists(st.builds(Met, moments, st.integers(0, 8)), max_size=5)


@given(contacts, configurations, st.integers(0, 20))
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


@given(moments, st.integers(1, 60))
def test_being_further_away_never_scores_more_where_nearer_buckets_score_more(
    heard: list[Moment], further_db: int
) -> None:
    ascending = ExposureConfiguration(
        attenuation_thresholds=(50, 70),
        attenuation_bucket_scores=(0, 1, 2, 3, 4, 5, 6, 7),
        days_since_last_exposure_bucket_scores=(1,) * 8,
        duration_bucket_scores=(1,) * 8,
        transmission_risk_bucket_scores=(1,) * 8,
        minimum_risk_score=0,
    )
    away = [Moment(m.at, m.attenuation_db + further_db, m.rssi_dbm, m.interval) for m in heard]

    near = assess([Met(heard)], ascending, now=START).summary.risk_score_sum
    far = assess([Met(away)], ascending, now=START).summary.risk_score_sum

    assert far <= near
