"""A background session is killed at each of its steps: nothing shows twice, nothing is lost.

What the framework does with its own store has tests of its own.
"""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.crash.app.dying_session import Outcome

AT_LEAST = 10
"""Settings, index, two chunks and a report are asked for; the memory changes in between."""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    command = [sys.executable, "-m", "tests.crash.app.dying_session"]
    folder = tmp_path_factory.mktemp("killed")
    process = subprocess.run([*command, str(folder)], stdout=subprocess.PIPE, text=True, check=True)
    return [Outcome(**json.loads(line)) for line in process.stdout.splitlines()]


def test_a_session_that_was_killed_ends_as_one_that_was_not(outcomes: list[Outcome]) -> None:
    *killed, whole = outcomes
    assert len(killed) >= AT_LEAST
    assert len(whole.notifications) == len(whole.contacts) == whole.summaries == 1
    assert whole.last_processed == 2

    for each in killed:
        assert replace(each, step=0, was_decided=True, reports=whole.reports) == whole, each


def test_no_kill_makes_a_second_report_and_none_before_the_decision_loses_it(
    outcomes: list[Outcome],
) -> None:
    assert outcomes[-1].reports == 1
    assert {each.was_decided for each in outcomes} == {True, False}

    for each in outcomes:
        # What was decided and did not arrive stays away: to send it again could be a second one.
        assert each.reports <= 1, each
        assert each.reports == 1 or each.was_decided, each
