from datetime import UTC, datetime, timedelta

import pytest

from immuni.clock import ManualClock
from immuni.entropy import SeededEntropy
from immuni.portal.signing_in.throttle import WINDOW, Attempt, Throttle

START = datetime(2020, 6, 20, 12, tzinfo=UTC)
GUESS = Attempt("anna", "192.0.2.1", browser=None)
OWN_BROWSER = Attempt("anna", "192.0.2.1", browser=b"mark")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def throttle(clock: ManualClock) -> Throttle:
    return Throttle(clock=clock, entropy=SeededEntropy("throttle"))


def exhaust(throttle: Throttle, attempt: Attempt) -> int:
    admitted = 0
    while throttle.admit(attempt) is None:
        admitted += 1
        assert admitted < 1000
    return admitted


def test_five_guesses_at_one_account_from_one_source_are_looked_at(throttle: Throttle) -> None:
    assert exhaust(throttle, GUESS) == 5


def test_the_wait_ends_with_the_window_of_the_first_guess(
    throttle: Throttle, clock: ManualClock
) -> None:
    throttle.admit(GUESS)
    clock.advance(timedelta(minutes=5))
    exhaust(throttle, GUESS)

    assert throttle.admit(GUESS) == WINDOW - timedelta(minutes=5)
    clock.advance(WINDOW - timedelta(minutes=5))
    assert throttle.admit(GUESS) is None
    assert throttle.admit(GUESS) is not None


def test_guessing_slows_down_no_other_source_and_no_colleague(throttle: Throttle) -> None:
    exhaust(throttle, GUESS)

    assert throttle.admit(Attempt("anna", "192.0.2.2", browser=None)) is None
    assert throttle.admit(Attempt("bruno", "192.0.2.1", browser=None)) is None


def test_one_source_may_not_guess_at_all_accounts(throttle: Throttle) -> None:
    admitted = sum(
        throttle.admit(Attempt(f"user{number}", "192.0.2.1", browser=None)) is None
        for number in range(200)
    )

    assert admitted == 50


def test_a_known_browser_is_slowed_down_by_nobody_else(throttle: Throttle) -> None:
    for number in range(200):
        throttle.admit(Attempt(f"user{number}", "192.0.2.1", browser=None))
    exhaust(throttle, GUESS)

    assert throttle.admit(OWN_BROWSER) is None


def test_a_known_browser_has_a_budget_too(throttle: Throttle) -> None:
    assert exhaust(throttle, OWN_BROWSER) == 10


def test_the_right_password_takes_back_what_was_counted(throttle: Throttle) -> None:
    for _ in range(200):
        assert throttle.admit(GUESS) is None
        throttle.forgive(GUESS)


def test_the_right_password_does_not_pay_for_guesses_at_others(throttle: Throttle) -> None:
    for number in range(49):
        throttle.admit(Attempt(f"user{number}", "192.0.2.1", browser=None))
    throttle.admit(GUESS)
    throttle.forgive(GUESS)

    assert throttle.admit(Attempt("next", "192.0.2.1", browser=None)) is None
    assert throttle.admit(Attempt("after", "192.0.2.1", browser=None)) is not None


def test_neither_names_nor_addresses_are_kept(throttle: Throttle) -> None:
    throttle.admit(GUESS)

    kept = repr(vars(throttle))

    assert "anna" not in kept
    assert "192.0.2.1" not in kept
