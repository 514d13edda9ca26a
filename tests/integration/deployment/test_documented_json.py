"""The JSON that only a running system prints is what the reference says."""

import json

import pytest

from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from scripts.reference.job_figures import FIGURES
from tests.running import RunningSystem, ended

pytestmark = pytest.mark.timeout(300)


def test_up_tells_what_is_described(system: RunningSystem) -> None:
    (answer,) = TOLD["up"].answers

    check_members(answer, dict(system.told), where="up")


@pytest.mark.parametrize("job", FIGURES)
def test_a_job_counts_what_is_described(job: str, system: RunningSystem) -> None:
    (answer,) = TOLD["jobs run"].answers

    done = ended("jobs", "run", job, "--data-dir", system.data_dir, "--json")

    told = json.loads(done.stdout)
    check_members(answer, told, where="jobs run")
    assert told["figures"].keys() == FIGURES[job].keys()
