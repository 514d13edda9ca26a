"""A few seconds of what `make soak` does for as long as one likes."""

from pathlib import Path

import pytest

from tests.soak.soak import Plan, soak

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


async def test_under_mixed_load_nothing_is_lost_doubled_leaked_or_left_behind(
    tmp_path: Path,
) -> None:
    plan = Plan(seconds=8, per_second=20, jobs_every_seconds=4, samples_every_seconds=0.6)

    seen = await soak(plan, tmp_path, lambda _household: None)

    assert seen.broken() == []
    # It was something: chunks were read, and all sorts of requests answered.
    assert len(seen.ledger.digests) > 1
    assert seen.ledger.uploads > 0
    assert {200, 204, 400, 401} <= seen.answers.statuses.keys()
