"""What a detection tells."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from immuni.keys import ENIntervalNumber
from immuni.matching import match
from immuni.risk import IMMUNI_DEFAULT, ExposureDetectionSummary, ExposureInfo, assess
from tests.unit.matching.contacts import NOON as DAY_OF_KEYS
from tests.unit.matching.contacts import a_key, heard
from tests.unit.risk.moments import START, Met, meeting, moment

NOW = START + timedelta(days=2)


def test_half_an_hour_at_a_metre_scores_twenty_five() -> None:
    assessment = assess([Met(meeting(30))], IMMUNI_DEFAULT, now=NOW)

    assert assessment.infos == (
        ExposureInfo(
            day=date(2020, 6, 17),
            duration_seconds=1800,
            attenuation_db=54,
            attenuation_durations_seconds=(0, 1800, 0),
            transmission_risk_level=4,
            total_risk_score=25,
        ),
    )
    assert assessment.summary == ExposureDetectionSummary(
        matched_key_count=1,
        days_since_last_exposure=2,
        attenuation_durations_seconds=(0, 1800, 0),
        maximum_risk_score=25,
        risk_score_sum=25,
    )


def test_what_matching_returns_can_be_assessed_as_it_is() -> None:
    sightings = [heard(a_key(), ENIntervalNumber(DAY_OF_KEYS + number)) for number in range(4)]

    assessment = assess(match([a_key()], sightings), IMMUNI_DEFAULT, now=NOW)

    assert assessment.summary.maximum_risk_score == 25


def test_nothing_that_matched_is_a_summary_of_nothing() -> None:
    assessment = assess([Met([])], IMMUNI_DEFAULT, now=NOW)

    assert assessment.infos == ()
    assert assessment.summary == ExposureDetectionSummary(
        matched_key_count=0,
        days_since_last_exposure=0,
        attenuation_durations_seconds=(0, 0, 0),
        maximum_risk_score=0,
        risk_score_sum=0,
    )


def test_durations_are_capped_when_told_and_not_when_scored() -> None:
    only_long = replace(IMMUNI_DEFAULT, duration_bucket_scores=(0, 0, 0, 0, 0, 0, 0, 8))

    (info,) = assess([Met(meeting(35))], only_long, now=NOW).infos

    assert info.duration_seconds == 1800
    assert info.attenuation_durations_seconds == (0, 1800, 0)
    assert info.total_risk_score == 40


def test_ranges_are_told_in_steps_of_five_minutes() -> None:
    moments = [moment(0, 40), moment(100, 60, identifier=1), moment(200, 60, identifier=1)]

    (info,) = assess([Met(moments)], IMMUNI_DEFAULT, now=NOW).infos

    # Exactly 250 s and 250 s.
    assert info.attenuation_durations_seconds == (300, 300, 0)


def test_the_summary_adds_up_exact_durations_before_it_rounds_and_caps_them() -> None:
    # Each 140 s in the near range are too little for a step; three of them are not.
    def contact(start: int) -> Met:
        return Met([moment(start, 80), moment(start + 290, 40, identifier=1),
                    moment(start + 430, 80, identifier=2)])  # fmt: skip

    contacts = [contact(start) for start in (0, 3600, 7200)]

    assessment = assess(contacts, IMMUNI_DEFAULT, now=NOW)

    assert [info.attenuation_durations_seconds[0] for info in assessment.infos] == [0, 0, 0]
    assert assessment.summary.attenuation_durations_seconds == (300, 0, 1800)


def test_the_summary_counts_keys_and_the_infos_count_exposures() -> None:
    twice = Met([*meeting(20), *meeting(30, from_second=7200)])

    assessment = assess([twice, Met(meeting(5)), Met([])], IMMUNI_DEFAULT, now=NOW)

    assert assessment.summary.matched_key_count == 2
    assert assessment.summary.maximum_risk_score == 25
    assert assessment.summary.risk_score_sum == 50
    assert [info.total_risk_score for info in assessment.infos] == [25, 25, 0]


def test_the_last_exposure_is_the_one_that_counts_for_the_days() -> None:
    contacts = [Met(meeting(5)), Met(meeting(5, from_second=86_400))]

    assert assess(contacts, IMMUNI_DEFAULT, now=NOW).summary.days_since_last_exposure == 1


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (datetime(2020, 6, 17, 23, 59, tzinfo=UTC), 0),
        (datetime(2020, 6, 18, 0, 0, tzinfo=UTC), 1),
        (datetime(2020, 6, 18, 1, 0, tzinfo=timezone(timedelta(hours=2))), 0),
        (datetime(2020, 6, 16, 23, 0, tzinfo=UTC), 0),
    ],
    ids=["the same day", "the next", "the next elsewhere", "a clock that runs slow"],
)
def test_days_are_those_of_utc_and_never_negative(now: datetime, days: int) -> None:
    summary = assess([Met(meeting(30))], IMMUNI_DEFAULT, now=now).summary

    assert summary.days_since_last_exposure == days


def test_a_key_of_a_phone_whose_clock_runs_ahead_counts_as_of_today() -> None:
    recent = replace(
        IMMUNI_DEFAULT, days_since_last_exposure_bucket_scores=(0, 0, 0, 0, 0, 0, 0, 8)
    )
    tomorrow = [replace(one, interval=ENIntervalNumber(one.interval + 72)) for one in meeting(30)]

    assessment = assess([Met(tomorrow)], recent, now=START)

    assert assessment.infos[0].day == START.date() + timedelta(days=1)
    assert assessment.summary.days_since_last_exposure == 0
    assert assessment.summary.maximum_risk_score == 200


@pytest.mark.parametrize(("level", "score"), [(0, 25), (1, 50), (8, 0)])
def test_a_level_scores_by_its_place_and_an_unknown_one_does_not_weigh(
    level: int, score: int
) -> None:
    by_level = replace(IMMUNI_DEFAULT, transmission_risk_bucket_scores=(2, 1, 1, 1, 1, 1, 1, 0))

    (info,) = assess([Met(meeting(30), level)], by_level, now=NOW).infos

    assert (info.transmission_risk_level, info.total_risk_score) == (level, score)


@pytest.mark.parametrize(("minimum", "score"), [(25, 25), (26, 0)])
def test_an_exposure_below_the_minimum_is_told_with_a_score_of_zero(
    minimum: int, score: int
) -> None:
    strict = replace(IMMUNI_DEFAULT, minimum_risk_score=minimum)

    assessment = assess([Met(meeting(30))], strict, now=NOW)

    assert [info.total_risk_score for info in assessment.infos] == [score]
    assert assessment.summary.matched_key_count == 1
    assert assessment.summary.risk_score_sum == score


@pytest.mark.parametrize(("minutes", "told"), [(25, 1500), (30, 1800), (35, 1800)])
def test_no_more_than_half_an_hour_is_told(minutes: int, told: int) -> None:
    (info,) = assess([Met(meeting(minutes))], IMMUNI_DEFAULT, now=NOW).infos

    assert info.duration_seconds == told
    assert info.attenuation_durations_seconds == (0, told, 0)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        assess([], IMMUNI_DEFAULT, now=NOW.replace(tzinfo=None))


def test_the_order_of_infos_does_not_tell_which_share_a_key() -> None:
    one = Met([*meeting(30), *meeting(5, from_second=7200)])
    other = Met([*meeting(20, from_second=3600)])

    forth = assess([one, other], IMMUNI_DEFAULT, now=NOW).infos
    back = assess([other, one], IMMUNI_DEFAULT, now=NOW).infos

    assert forth == back


def test_infos_that_score_the_same_stand_where_what_they_tell_puts_them() -> None:
    near, far = Met(meeting(30, 20)), Met(meeting(30, 60, from_second=7200))

    forth = assess([near, far], IMMUNI_DEFAULT, now=NOW).infos
    back = assess([far, near], IMMUNI_DEFAULT, now=NOW).infos

    assert [info.attenuation_db for info in forth] == [20, 60]
    assert forth == back
