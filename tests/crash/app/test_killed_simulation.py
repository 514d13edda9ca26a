"""A sequence of simulated uploads is killed at each of its steps: it does not begin once more."""

import json
import subprocess
import sys

import pytest

from tests.crash.app.dying_simulation import Outcome

DUMMIES = 2
"""In a sequence of this phone."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    command = [sys.executable, "-m", "tests.crash.app.dying_simulation"]
    folder = tmp_path_factory.mktemp("killed")
    process = subprocess.run([*command, str(folder)], stdout=subprocess.PIPE, text=True, check=True)
    return [Outcome(**json.loads(line)) for line in process.stdout.splitlines()]


def test_a_sequence_that_was_killed_does_not_begin_once_more(outcomes: list[Outcome]) -> None:
    *killed, whole = outcomes
    assert (whole.before, whole.after, whole.next_day) == (DUMMIES, 0, DUMMIES)
    # Killed before anything was sent, at the first dummy, and between the first and the second.
    assert {each.before for each in killed} == {0, 1, 2}

    for each in killed:
        # What was not begun is made up for whole; what was begun ends there, as when a person
        # gives up.
        assert each.after == (0 if each.before else DUMMIES), each
        assert each.next_day == DUMMIES, each


def test_a_killed_sequence_leaves_nothing_that_its_user_could_see(outcomes: list[Outcome]) -> None:
    assert {each.visible for each in outcomes} == {"() None () Neutral()"}
