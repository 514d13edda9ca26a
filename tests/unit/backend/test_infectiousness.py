from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.infectiousness import (
    DEFAULT_INFECTIOUSNESS,
    Diagnosis,
    Infectiousness,
    InvalidInfectiousnessError,
)
from immuni.keys import ENIntervalNumber, TemporaryExposureKey, first_interval_of

ONSET = date(2020, 6, 10)


def key_of(day: date) -> TemporaryExposureKey:
    return TemporaryExposureKey(bytes(16), first_interval_of(day))


@pytest.mark.parametrize(
    ("days", "published"), [(-3, False), (-2, True), (0, True), (14, True), (15, False)]
)
def test_only_the_days_of_the_table_have_a_level(days: int, *, published: bool) -> None:
    level = DEFAULT_INFECTIOUSNESS.level(
        key_of(ONSET + timedelta(days=days)), Diagnosis(ONSET, None)
    )

    assert (level is not None) is published


def test_the_default_is_highest_from_the_day_before_to_the_third_day_and_then_falls() -> None:
    levels = [DEFAULT_INFECTIOUSNESS.levels[day] for day in range(-2, 15)]

    assert levels[1:6] == [8] * 5
    assert levels[0] < 8
    assert levels[5:] == sorted(levels[5:], reverse=True)
    assert levels[6] < 8


def test_without_symptoms_the_test_stands_in_for_the_second_day_after_an_onset() -> None:
    tested = Diagnosis(None, ONSET + timedelta(days=2))

    assert tested.assumed_onset == ONSET
    assert tested.days_to(key_of(ONSET)) == 0


@pytest.mark.parametrize("dates", [(None, None), (ONSET, ONSET)])
def test_a_diagnosis_has_exactly_one_date(dates: tuple[date | None, date | None]) -> None:
    with pytest.raises(InvalidInfectiousnessError, match="either an onset or a test date"):
        Diagnosis(*dates)


def test_a_key_that_starts_at_the_last_interval_of_a_day_belongs_to_that_day() -> None:
    late = TemporaryExposureKey(bytes(16), ENIntervalNumber(first_interval_of(ONSET) + 143), 1)

    assert Diagnosis(ONSET, None).days_to(late) == 0


@given(st.dictionaries(st.integers(-14, 14), st.integers(0, 8), min_size=1))
def test_a_table_is_read_as_it_was_written(levels: dict[int, int]) -> None:
    table = Infectiousness(levels)

    assert Infectiousness.parse(table.render()) == table


@pytest.mark.parametrize("text", ["", "1", "1:9", "15:1", "1:2,1:3", "1:2,", "a:1", " 1:2"])
def test_a_table_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InvalidInfectiousnessError):
        Infectiousness.parse(text)
