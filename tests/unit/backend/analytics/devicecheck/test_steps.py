"""From a step and an answer to the next step: every row of the table, and what holds for all."""

from datetime import date, timedelta
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.analytics.devicecheck.answers import Answer, Bits, DeviceState, Failure, Said
from immuni.backend.analytics.devicecheck.steps import (
    MAX_FAILURES,
    WRITES,
    End,
    Move,
    Next,
    Outcome,
    Progress,
    Step,
    Waits,
    backoff_bound,
    begun,
    decide,
    resumed,
)
from immuni.entropy import SeededEntropy

TODAY: Final = date(2020, 6, 20)
THIS, LAST, NEXT = date(2020, 6, 1), date(2020, 5, 1), date(2020, 7, 1)
WAITS: Final = Waits(timedelta(seconds=3), timedelta(seconds=13), timedelta(seconds=5))
NEVER: Final = DeviceState(Bits.DEFAULT, None)


def state(bits: Bits, month: date) -> DeviceState:
    return DeviceState(bits, month)


def move(step: Step, answer: Answer, *, failures: int = 0, today: date = TODAY) -> Move:
    progress = Progress(step, failures, THIS)
    return decide(progress, answer, today=today, waits=WAITS, entropy=SeededEntropy(1))


def told(step: Step, answer: Answer) -> Step | Outcome:
    """Return where an answer leads."""
    found = move(step, answer)
    return found.outcome if isinstance(found, End) else found.progress.step


TABLE: Final[list[tuple[Step, Answer, Step | Outcome]]] = [
    # A device that was never written, or not in this month.
    (Step.FIRST_LOOK, NEVER, Step.SECOND_LOOK),
    (Step.FIRST_LOOK, state(Bits.DEFAULT, LAST), Step.SECOND_LOOK),
    (Step.SECOND_LOOK, NEVER, Step.MARK),
    (Step.SECOND_LOOK, state(Bits.DEFAULT, LAST), Step.MARK),
    (Step.MARK, Said.WRITTEN, Step.CHECK),
    (Step.CHECK, state(Bits.IN_PROGRESS, THIS), Step.CLEAR),
    (Step.CLEAR, Said.WRITTEN, Outcome.AUTHORISED),
    # A mark of an earlier month was left behind by us.
    (Step.FIRST_LOOK, state(Bits.IN_PROGRESS, LAST), Step.SECOND_LOOK),
    (Step.SECOND_LOOK, state(Bits.IN_PROGRESS, LAST), Step.MARK),
    # Used this month: nothing is written.
    (Step.FIRST_LOOK, state(Bits.DEFAULT, THIS), Outcome.ALREADY_USED),
    (Step.FIRST_LOOK, state(Bits.IN_PROGRESS, THIS), Outcome.ALREADY_USED),
    (Step.FIRST_LOOK, state(Bits.DEFAULT, NEXT), Outcome.ALREADY_USED),
    (Step.SECOND_LOOK, state(Bits.DEFAULT, THIS), Outcome.ALREADY_USED),
    # Another request of the same device.
    (Step.SECOND_LOOK, state(Bits.IN_PROGRESS, THIS), Step.BLACKLIST),
    (Step.CHECK, state(Bits.DEFAULT, THIS), Step.BLACKLIST),
    (Step.BLACKLIST, Said.WRITTEN, Outcome.BLACKLISTED),
    (Step.FIRST_LOOK, state(Bits.UNUSED, LAST), Step.BLACKLIST),
    # Blacklisted, once and for all.
    (Step.FIRST_LOOK, state(Bits.BLACKLISTED, LAST), Outcome.BLACKLISTED),
    (Step.FIRST_LOOK, state(Bits.BLACKLISTED, THIS), Outcome.BLACKLISTED),
    (Step.SECOND_LOOK, state(Bits.BLACKLISTED, THIS), Outcome.BLACKLISTED),
    (Step.CHECK, state(Bits.BLACKLISTED, THIS), Outcome.BLACKLISTED),
    # Apple is still in last month: the device could have a second token in this one.
    (Step.CHECK, state(Bits.IN_PROGRESS, LAST), Step.UNMARK),
    # Apple confirmed our mark, and has forgotten it.
    (Step.CHECK, NEVER, Step.CHECK),
    (Step.CHECK, state(Bits.DEFAULT, LAST), Step.CHECK),
    # Nobody knows whether the mark was made.
    (Step.MARK, Failure.TIMED_OUT, Step.DOUBT),
    (Step.DOUBT, NEVER, Step.MARK),
    (Step.DOUBT, state(Bits.IN_PROGRESS, LAST), Step.MARK),
    (Step.DOUBT, state(Bits.IN_PROGRESS, THIS), Step.UNMARK),
    (Step.DOUBT, state(Bits.DEFAULT, THIS), Outcome.ALREADY_USED),
    (Step.DOUBT, state(Bits.BLACKLISTED, THIS), Outcome.BLACKLISTED),
    (Step.UNMARK, Said.WRITTEN, Outcome.UNDONE),
    # A failure is tried again where it happened.
    (Step.FIRST_LOOK, Failure.GARBAGE, Step.FIRST_LOOK),
    (Step.CHECK, Failure.THROTTLED, Step.CHECK),
    (Step.CLEAR, Failure.TIMED_OUT, Step.CLEAR),
    (Step.BLACKLIST, Failure.SERVER_ERROR, Step.BLACKLIST),
    (Step.UNMARK, Failure.UNREACHABLE, Step.UNMARK),
    *((step, Said.NOT_GENUINE, Outcome.NOT_GENUINE) for step in Step),
]


@pytest.mark.parametrize(("step", "answer", "then"), TABLE)
def test_each_answer_leads_where_the_table_says(
    step: Step, answer: Answer, then: Step | Outcome
) -> None:
    assert told(step, answer) == then


def test_an_authorisation_begins_with_the_first_look_in_its_month() -> None:
    assert begun(TODAY) == Progress(Step.FIRST_LOOK, 0, THIS)


def test_only_an_interrupted_mark_goes_on_elsewhere_and_nothing_begins_anew() -> None:
    for step in Step:
        then = resumed(Progress(step, 3, THIS)).step
        assert then is (Step.DOUBT if step is Step.MARK else step)


def test_what_follows_from_bits_is_done_before_they_are_old() -> None:
    for step, answer in (
        (Step.SECOND_LOOK, NEVER),
        (Step.DOUBT, NEVER),
        (Step.CHECK, state(Bits.IN_PROGRESS, THIS)),
        (Step.SECOND_LOOK, state(Bits.IN_PROGRESS, THIS)),
    ):
        found = move(step, answer)
        assert isinstance(found, Next)
        assert found.wait is None


def test_a_mark_stands_for_the_whole_check_time() -> None:
    assert move(Step.MARK, Said.WRITTEN) == Next(Progress(Step.CHECK, 0, THIS), WAITS.check_time)


ANSWERS = st.one_of(
    st.builds(DeviceState, st.sampled_from(Bits), st.sampled_from([None, LAST, THIS, NEXT])),
    st.sampled_from(Said),
    st.sampled_from(Failure),
)


@given(step=st.sampled_from(Step), answer=ANSWERS, seed=st.integers(0, 99))
def test_nothing_but_bits_of_this_month_at_a_look_or_check_blacklists(
    step: Step, answer: Answer, seed: int
) -> None:
    progress = Progress(step, 0, THIS)
    found = decide(progress, answer, today=TODAY, waits=WAITS, entropy=SeededEntropy(seed))
    if isinstance(found, Next) and found.progress.step is Step.BLACKLIST is not step:
        assert isinstance(answer, DeviceState)
        assert step in (Step.FIRST_LOOK, Step.SECOND_LOOK, Step.CHECK)
        assert answer.bits is Bits.UNUSED or answer.updated_in in (THIS, NEXT)


@given(step=st.sampled_from(Step), answer=ANSWERS)
def test_only_a_cleared_mark_that_stood_authorises(step: Step, answer: Answer) -> None:
    found = move(step, answer)
    assert (found == End(Outcome.AUTHORISED)) == (step is Step.CLEAR and answer is Said.WRITTEN)
    if isinstance(found, Next) and found.progress.step is Step.CLEAR is not step:
        assert (step, answer) == (Step.CHECK, state(Bits.IN_PROGRESS, THIS))


@given(step=st.sampled_from(Step), answer=ANSWERS)
def test_when_the_month_is_over_nothing_is_written(step: Step, answer: Answer) -> None:
    assert move(step, answer, today=NEXT) == End(Outcome.MONTH_OVER)


@pytest.mark.parametrize("step", list(Step))
def test_failures_are_waited_out_for_longer_and_longer_then_given_up(step: Step) -> None:
    waits = []
    for failures in range(MAX_FAILURES):
        found = move(step, Failure.UNREACHABLE, failures=failures)
        if failures == MAX_FAILURES - 1:
            assert found == End(Outcome.GAVE_UP)
        else:
            assert isinstance(found, Next)
            assert found.progress.failures == failures + 1
            assert found.wait is not None
            assert timedelta(0) <= found.wait <= backoff_bound(failures)
            waits.append(backoff_bound(failures).total_seconds())
    assert waits == [1, 2, 4, 8, 16, 32, 60]


@given(st.integers(0, MAX_FAILURES - 2), st.integers(0, 1000))
def test_the_jitter_is_full(failures: int, seed: int) -> None:
    progress = Progress(Step.CHECK, failures, THIS)
    found = decide(
        progress, Failure.THROTTLED, today=TODAY, waits=WAITS, entropy=SeededEntropy(seed)
    )
    drawn = SeededEntropy(seed).uniform(0, backoff_bound(failures).total_seconds())
    assert isinstance(found, Next)
    assert found.wait == timedelta(seconds=drawn)


def test_every_step_writes_what_its_name_says_or_asks() -> None:
    assert WRITES == {
        Step.MARK: Bits.IN_PROGRESS,
        Step.CLEAR: Bits.DEFAULT,
        Step.UNMARK: Bits.DEFAULT,
        Step.BLACKLIST: Bits.BLACKLISTED,
    }


def test_every_pair_of_step_and_bits_has_an_answer() -> None:
    for step, bits, month in product(Step, Bits, (None, LAST, THIS, NEXT)):
        assert move(step, DeviceState(bits, month)) is not None
