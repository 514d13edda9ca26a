from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from immuni.otp import check_digit
from immuni.portal.authorising.reading import Fault, InvalidFieldError, parse_code
from immuni.portal.authorising.rules import (
    NO_SYMPTOMS,
    OTHER_DAY,
    Entry,
    InvalidEntryError,
    days_before,
    life_left,
    parse_day,
)

TODAY = date(2020, 6, 20)
MAX_AGE = timedelta(days=30)
CODE = "9K2RAY8UUQ"
ENTRY = Entry(id="0" * 32, code=CODE, onset="2020-06-17")


def faults_of(entry: Entry) -> dict[str, Fault]:
    with pytest.raises(InvalidEntryError) as refusal:
        entry.parse(today=TODAY, max_age=MAX_AGE)
    return dict(refusal.value.faults)


@pytest.mark.parametrize(
    "typed",
    [CODE, "9K2 RAY8 UUQ", "9k2-ray8-uuq", "  9k2ray8uuq ", "9K2 RAY8\tUUQ", "9k2.ray8.uuq"],
)
def test_a_code_may_be_typed_as_people_type(typed: str) -> None:
    assert parse_code(typed) == CODE


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", Fault.MISSING),
        (" - ", Fault.MISSING),
        ("9K2RAY8UU", Fault.LENGTH),
        ("9K2RAY8UUQQ", Fault.LENGTH),
        ("9K2RAY8UUO", Fault.CHARACTER),
        ("9K2RAY8UU０", Fault.CHARACTER),
        ("9K2RAY8UUA", Fault.CHECK_DIGIT),
    ],
)
def test_what_is_no_code_is_refused_with_its_reason(typed: str, fault: Fault) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_code(typed)

    assert refusal.value.fault is fault


def test_a_refused_code_shows_in_no_part_of_the_exception() -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_code("9K2RAY8UUA")

    assert refusal.value.__suppress_context__
    assert "9K2" not in repr(refusal.value)


@pytest.mark.parametrize(
    ("chosen", "fault"),
    [
        ("", Fault.MISSING),
        ("2020-06-21", Fault.FUTURE),
        ("2020-05-20", Fault.TOO_OLD),
        ("2020-02-30", Fault.NO_DATE),
        ("20200617", Fault.NO_DATE),
        ("2020-W25-3", Fault.NO_DATE),
        ("yesterday", Fault.NO_DATE),
    ],
)
def test_what_is_no_day_of_the_window_is_refused_with_its_reason(chosen: str, fault: Fault) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        parse_day(chosen, today=TODAY, max_age=MAX_AGE)

    assert refusal.value.fault is fault


@pytest.mark.parametrize("chosen", ["2020-06-20", "2020-05-21"])
def test_both_ends_of_the_window_are_inside(chosen: str) -> None:
    assert parse_day(chosen, today=TODAY, max_age=MAX_AGE) == date.fromisoformat(chosen)


def test_a_chosen_button_gives_the_day_of_onset() -> None:
    authorisation = ENTRY.parse(today=TODAY, max_age=MAX_AGE)

    assert authorisation.otp == CODE
    assert authorisation.symptoms_started_on == date(2020, 6, 17)
    assert authorisation.tested_on is None


@pytest.mark.parametrize("button", [OTHER_DAY, ""])
def test_the_calendar_counts_where_another_day_or_no_button_is_chosen(button: str) -> None:
    entry = replace(ENTRY, onset=button, onset_date="2020-06-01")

    assert entry.parse(today=TODAY, max_age=MAX_AGE).symptoms_started_on == date(2020, 6, 1)


def test_a_chosen_button_counts_more_than_the_calendar() -> None:
    entry = replace(ENTRY, onset_date="2020-06-01")

    assert entry.parse(today=TODAY, max_age=MAX_AGE).symptoms_started_on == date(2020, 6, 17)


@pytest.mark.parametrize(
    "tested",
    [{"tested": "2020-06-18"}, {"tested": OTHER_DAY, "tested_date": "2020-06-18"}],
)
def test_without_symptoms_the_day_of_the_test_is_sent_instead(tested: dict[str, str]) -> None:
    entry = replace(ENTRY, onset=NO_SYMPTOMS, onset_date="2020-06-01", **tested)

    authorisation = entry.parse(today=TODAY, max_age=MAX_AGE)

    assert authorisation.symptoms_started_on is None
    assert authorisation.tested_on == date(2020, 6, 18)


def test_all_faults_are_named_at_once() -> None:
    assert faults_of(replace(ENTRY, code="", onset="")) == {
        "code": Fault.MISSING,
        "onset": Fault.MISSING,
    }
    assert faults_of(replace(ENTRY, onset=NO_SYMPTOMS)) == {"tested": Fault.MISSING}


def test_a_form_without_an_id_of_its_own_gets_a_fresh_one() -> None:
    fresh = "f" * 32

    assert Entry.of({"id": "a" * 32}, fresh_id=fresh).id == "a" * 32
    assert Entry.of({}, fresh_id=fresh).id == fresh
    assert Entry.of({"id": "A" * 32}, fresh_id=fresh).id == fresh


def test_the_same_form_with_the_same_contents_repeats_the_same_request() -> None:
    same = Entry.of({"id": ENTRY.id, "code": "9k2-ray8-uuq", "onset": "2020-06-17"}, fresh_id="")

    assert request_id(same) == request_id(ENTRY)


def test_other_contents_or_another_form_make_another_request() -> None:
    other_code = "AAAAAAAAA" + check_digit("AAAAAAAAA")
    entries = [
        ENTRY,
        replace(ENTRY, id="1" * 32),
        replace(ENTRY, code=other_code),
        replace(ENTRY, onset="2020-06-18"),
        replace(ENTRY, onset=NO_SYMPTOMS, tested="2020-06-17"),
    ]

    assert len({request_id(entry) for entry in entries}) == len(entries)


def request_id(entry: Entry) -> str:
    return entry.request_id(entry.parse(today=TODAY, max_age=MAX_AGE))


def test_the_code_shows_in_no_repr() -> None:
    assert CODE not in repr(ENTRY)
    assert CODE not in repr(ENTRY.parse(today=TODAY, max_age=MAX_AGE))


def test_the_buttons_begin_with_today_and_go_back_day_by_day() -> None:
    assert days_before(date(2020, 3, 1), 3) == [
        date(2020, 3, 1),
        date(2020, 2, 29),
        date(2020, 2, 28),
    ]


def test_a_code_lives_for_its_lifetime_and_no_longer() -> None:
    authorised_at = datetime(2020, 6, 20, 12, tzinfo=UTC)
    lifetime = timedelta(seconds=150)

    def left(seconds: int) -> timedelta:
        now = authorised_at + timedelta(seconds=seconds)
        return life_left(authorised_at, now=now, lifetime=lifetime)

    assert left(0) == lifetime
    assert left(149) == timedelta(seconds=1)
    assert left(150) == left(1000) == timedelta(0)
