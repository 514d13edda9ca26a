from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.entropy import SeededEntropy
from immuni.portal.signing_in.turns import GRACE, PERIOD, CopiedCookieError, Turns

START = datetime(2020, 6, 20, 12, tzinfo=UTC)
ENTROPY = SeededEntropy("turns")
FIRST = ENTROPY.token(16)
SECOND = timedelta(seconds=1)


def shown(turns: Turns, turn: bytes, after: timedelta) -> tuple[Turns, bytes]:
    return turns.shown(turn, now=START + after, entropy=ENTROPY)


def test_a_turn_counts_for_a_while_before_the_next_is_offered() -> None:
    turns = Turns(FIRST, START)

    assert shown(turns, FIRST, PERIOD - SECOND) == (turns, FIRST)
    assert shown(turns, FIRST, PERIOD)[1] != FIRST


def test_one_browser_goes_on_whichever_answers_get_lost() -> None:
    turns, holds = Turns(FIRST, START), FIRST
    for minute in range(600):
        turns, told = shown(turns, holds, timedelta(minutes=minute))
        if minute % 7 == 0:
            holds = told
    assert turns.current != FIRST


def test_requests_under_way_when_the_turn_changes_are_taken_but_no_later_ones() -> None:
    offering, mine = shown(Turns(FIRST, START), FIRST, PERIOD)
    offering, sibling = shown(offering, FIRST, PERIOD)
    turns, _ = shown(offering, mine, PERIOD)

    for turn in (FIRST, sibling):
        assert shown(turns, turn, PERIOD + GRACE - SECOND) == (turns, turn)
        with pytest.raises(CopiedCookieError):
            shown(turns, turn, PERIOD + GRACE)


@pytest.mark.parametrize("pace", [timedelta(seconds=5), timedelta(seconds=50), 3 * PERIOD])
def test_two_browsers_cannot_both_go_on_with_one_cookie(pace: timedelta) -> None:
    def go_on() -> None:
        turns, holds, now = Turns(FIRST, START), [FIRST, FIRST], timedelta(0)
        while now < PERIOD + GRACE + 4 * pace:
            for who in (0, 1):
                now += pace / 2
                turns, holds[who] = shown(turns, holds[who], now)

    with pytest.raises(CopiedCookieError):
        go_on()


@given(st.binary(min_size=16, max_size=16))
def test_a_turn_that_nobody_was_given_is_refused(turn: bytes) -> None:
    with pytest.raises(CopiedCookieError):
        shown(Turns(FIRST, START), turn, SECOND)


def test_turns_show_in_no_repr() -> None:
    turns, offer = shown(Turns(FIRST, START), FIRST, PERIOD)

    assert repr(offer) not in repr(turns)
    assert repr(FIRST) not in repr(turns)
