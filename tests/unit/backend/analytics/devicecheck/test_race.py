"""Many requests of one device, and what crashes do, in 1 000 random interleavings each."""

import math
from datetime import timedelta
from itertools import combinations
from typing import Final

from immuni.backend.analytics.devicecheck.answers import Bits
from immuni.backend.analytics.devicecheck.steps import Outcome
from tests.unit.backend.analytics.devicecheck.virtual import (
    WAITS,
    Authorisation,
    World,
    overlap,
    state_of,
)

INTERLEAVINGS: Final = 1000
DEVICE: Final = "phone"


def attack(
    world: World, *, requests: int, within: float
) -> tuple[list[Authorisation], list[Authorisation]]:
    """Ask many times with one device, and return who was authorised, and who was not."""
    asked: list[Authorisation] = []
    for _ in range(requests):
        moment = world.entropy.uniform(0, within)
        world.at(moment, lambda: asked.append(world.ask(DEVICE)))
    world.run()
    assert all(each.outcome is not None for each in asked)
    return (
        [each for each in asked if is_authorised(each)],
        [each for each in asked if not is_authorised(each)],
    )


def test_two_requests_at_once_get_two_tokens_as_often_as_their_windows_overlap() -> None:
    way = 0.05
    doubles = 0
    for seed in range(INTERLEAVINGS):
        world = World(seed, latency=(way, way))
        authorised, _ = attack(world, requests=2, within=0)
        doubles += len(authorised) == 2

    # The second looks are uniform in `max_read_time`; a window lasts from a look at Apple's to the
    # mark there, one way back and one way forth.
    window = 2 * way / WAITS.max_read_time.total_seconds()
    expected = 2 * window - window**2
    deviation = math.sqrt(INTERLEAVINGS * expected * (1 - expected))
    assert abs(doubles - INTERLEAVINGS * expected) < 4 * deviation


def test_two_tokens_need_windows_that_overlap() -> None:
    doubles = disjoint = 0
    for seed in range(INTERLEAVINGS):
        world = World(seed)
        authorised, refused = attack(world, requests=2 + seed % 6, within=(0, 0.5, 4, 20)[seed % 4])
        doubles += len(authorised) > 1
        disjoint += len(authorised) == 1
        assert all(overlap(one, other) for one, other in combinations(authorised, 2))
        # Whoever is caught gets nothing: a mark stands until all who looked before have written.
        assert all(
            each.outcome is Outcome.ALREADY_USED or any(overlap(each, one) for one in authorised)
            for each in (refused if authorised else ())
        )
    # Both did happen: the attack is one, and mostly fails.
    assert 0 < doubles < INTERLEAVINGS / 10
    assert disjoint > INTERLEAVINGS / 10


def test_crashes_and_faults_open_no_other_way_to_two_tokens() -> None:
    doubles = 0
    for seed in range(INTERLEAVINGS):
        world = World(seed, trouble=0.2, outages=0.3, longest_outage=timedelta(minutes=5))
        authorised, _ = attack(world, requests=2 + seed % 4, within=(0, 1, 30)[seed % 3])
        doubles += len(authorised) > 1
        assert all(overlap(one, other) for one, other in combinations(authorised, 2))
    assert doubles < INTERLEAVINGS / 20


def test_no_crash_and_no_fault_of_ours_blacklists_an_honest_phone() -> None:
    outcomes: set[Outcome | None] = set()
    for seed in range(INTERLEAVINGS):
        world = World(seed, trouble=0.3, outages=0.1)
        tokens = ask_for_months(world)
        outcomes |= {each.outcome for each in tokens}
        assert not world.blacklisted
        authorised = [each.progress.month for each in tokens if is_authorised(each)]
        assert len(set(authorised)) == len(authorised), "two tokens in one month"
    # Everything else did happen.
    assert outcomes == set(Outcome) - {Outcome.NOT_GENUINE, Outcome.BLACKLISTED}


def test_whatever_went_wrong_in_one_month_the_next_is_as_ever() -> None:
    for seed in range(INTERLEAVINGS):
        world = World(seed, trouble=0.4)
        world.ask(DEVICE)
        world.run()
        world.trouble = 0
        world.now += timedelta(days=31).total_seconds()
        later = world.ask(DEVICE)
        world.run()
        assert is_authorised(later)
        assert state_of(world.devices, DEVICE).bits is Bits.DEFAULT


def ask_for_months(world: World) -> list[Authorisation]:
    """Ask as an honest phone does: one at a time, again until it is authorised."""
    asked: list[Authorisation] = []

    def ask() -> None:
        new = world.ask(DEVICE)
        asked.append(new)
        new.on_end = next_time

    def next_time() -> None:
        if len(asked) < 8:
            hours = 24 * 31 if is_authorised(asked[-1]) else (0.02, 4)[world.entropy.below(2)]
            world.at(world.now + 3600 * hours, ask)

    world.at(0, ask)
    world.run()
    return asked


def is_authorised(authorisation: Authorisation) -> bool:
    """Tell whether it ended well."""
    return authorisation.outcome is Outcome.AUTHORISED
