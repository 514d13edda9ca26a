from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.api import ConfigurationSettings, Platform
from immuni.app.dummies.decision import (
    PUNCTUAL,
    Simulates,
    continues,
    next_opportunity,
    next_session,
    start_wait,
    valid_opportunity,
    valid_session,
)
from immuni.app.dummies.memory import Opportunity
from immuni.app.dummies.people import FIRST_HOUR, LAST_HOUR
from immuni.entropy import SeededEntropy
from tests.unit.app.analytics.drawn import DAY, NOON, Drawing

SETTINGS = ConfigurationSettings()
WAITING = timedelta(days=60)
WINDOW = timedelta(days=14)
ROME = ZoneInfo("Europe/Rome")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


def valid(opportunity: Opportunity | None, now: datetime) -> Opportunity:
    return valid_opportunity(opportunity, now=now, settings=SETTINGS, entropy=Drawing())


def wait_of(opportunity: Opportunity, now: datetime) -> timedelta | None:
    return start_wait(opportunity, now=now, settings=SETTINGS, entropy=Drawing())


def session(opportunity: Opportunity | None, now: datetime, share: float = 0.5) -> Opportunity:
    return valid_session(opportunity, now=now, settings=SETTINGS, entropy=Drawing(share), zone=ROME)


def test_the_foreground_model_is_that_of_ios_alone() -> None:
    assert Simulates.on(Platform.IOS) is Simulates.IN_FOREGROUND
    assert Simulates.on(Platform.ANDROID) is Simulates.IN_BACKGROUND


def test_the_first_launch_draws_a_window() -> None:
    assert valid(None, NOON) == Opportunity(drawn_at=NOON, opens_at=NOON + WAITING)


@pytest.mark.parametrize("age", [timedelta(), 60 * DAY, 74 * DAY - timedelta(seconds=1)])
def test_a_window_stays_until_it_has_passed(age: timedelta) -> None:
    drawn = valid(None, NOON)

    assert valid(drawn, NOON + age) == drawn


def test_a_window_that_has_passed_is_drawn_anew() -> None:
    now = NOON + WAITING + WINDOW

    assert valid(valid(None, NOON), now) == Opportunity(drawn_at=now, opens_at=now + WAITING)


def test_what_a_clock_ahead_has_drawn_is_drawn_anew() -> None:
    ahead = NOON + 1000 * DAY

    assert valid(valid(None, ahead), NOON).opens_at == NOON + WAITING
    assert session(session(None, ahead), NOON).drawn_at == NOON


def test_a_session_inside_the_window_starts_a_sequence_after_a_while_and_no_other_does() -> None:
    drawn = valid(None, NOON)

    assert wait_of(drawn, drawn.opens_at - timedelta(seconds=1)) is None
    assert wait_of(drawn, drawn.opens_at) == timedelta(seconds=15)


@given(now=MOMENTS, seed=st.integers())
def test_a_background_session_comes_at_an_hour_of_people(now: datetime, seed: int) -> None:
    drawn = next_session(now, SETTINGS, SeededEntropy(seed), zone=ROME)

    assert drawn.opens_at >= now
    assert FIRST_HOUR <= drawn.opens_at.astimezone(ROME).hour <= LAST_HOUR


def test_a_background_session_that_was_slept_through_comes_another_day() -> None:
    drawn = session(None, NOON)
    late = drawn.opens_at + PUNCTUAL

    assert session(drawn, late - timedelta(seconds=1)) == drawn
    again = session(drawn, late, share=0)
    assert again.opens_at.astimezone(ROME).date() == (late + DAY).astimezone(ROME).date()
    assert again.opens_at.astimezone(ROME).hour == FIRST_HOUR


def test_the_last_probability_holds_for_all_that_follow() -> None:
    settings = ConfigurationSettings(dummy_teks_request_probabilities=(0.9, 0.4))

    follows = [continues(sent, settings, Drawing(0.5)) for sent in (1, 2, 3, 9)]

    assert follows == [True, False, False, False]
    assert all(continues(sent, settings, Drawing(0.3)) for sent in (1, 2, 3, 9))


def test_waits_are_those_of_the_settings() -> None:
    settings = ConfigurationSettings(
        dummy_teks_average_opportunity_waiting_time=100, dummy_teks_average_start_waiting_time=7
    )
    drawn = next_opportunity(NOON, settings, Drawing())

    assert drawn.opens_at == NOON + timedelta(seconds=100)
    assert start_wait(drawn, now=drawn.opens_at, settings=settings, entropy=Drawing()) == timedelta(
        seconds=7
    )
