from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.app.state import (
    AtRisk,
    Neutral,
    Positive,
    UserState,
    after_contact,
    after_dismissal,
    after_recovery,
    after_upload,
    is_news,
    on_day,
)

RISK_DURATION = timedelta(days=14)
DAY = date(2020, 6, 8)
days = st.dates(date(2020, 1, 1), date(2022, 12, 31))


@given(days)
def test_a_first_contact_puts_a_neutral_user_at_risk(day: date) -> None:
    assert is_news(Neutral(), day)
    assert after_contact(Neutral(), day) == AtRisk(day)


@given(days, days)
def test_a_user_stays_at_risk_since_the_latest_contact(known: date, new: date) -> None:
    assert after_contact(AtRisk(known), new) == AtRisk(max(known, new))


@given(days, days)
def test_a_user_at_risk_is_told_of_later_contacts_only(known: date, new: date) -> None:
    assert is_news(AtRisk(known), new) == (new > known)


@given(days, days)
def test_a_positive_user_is_told_of_no_contact(uploaded: date, contact: date) -> None:
    assert not is_news(Positive(uploaded), contact)
    assert after_contact(Positive(uploaded), contact) == Positive(uploaded)


@given(days, days)
def test_what_an_upload_made_outlasts_contacts_and_dismissals(uploaded: date, day: date) -> None:
    positive = after_upload(uploaded)

    assert positive == Positive(uploaded)
    assert after_dismissal(after_contact(positive, day)) == positive


@pytest.mark.parametrize(
    ("state", "expected"),
    [(Neutral(), Neutral()), (AtRisk(DAY), Neutral()), (Positive(DAY), Positive(DAY))],
)
def test_dismissing_a_warning_touches_users_at_risk_only(
    state: UserState, expected: UserState
) -> None:
    assert after_dismissal(state) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [(Neutral(), Neutral()), (AtRisk(DAY), AtRisk(DAY)), (Positive(DAY), Neutral())],
)
def test_recovering_touches_positive_users_only(state: UserState, expected: UserState) -> None:
    assert after_recovery(state) == expected


def test_being_at_risk_ends_by_itself_a_fortnight_after_the_contact() -> None:
    eve, end = DAY + timedelta(days=13), DAY + timedelta(days=14)

    assert on_day(AtRisk(DAY), eve, risk_duration=RISK_DURATION) == AtRisk(DAY)
    assert on_day(AtRisk(DAY), end, risk_duration=RISK_DURATION) == Neutral()


@given(days, days)
def test_being_positive_never_ends_by_itself(uploaded: date, today: date) -> None:
    assert on_day(Positive(uploaded), today, risk_duration=RISK_DURATION) == Positive(uploaded)
