"""The kept inputs, and some mutations of them, break no rule."""

import random

import pytest

from tests.fuzz.entries import ENTRIES
from tests.fuzz.fuzz_export import CORPUS, NAMES, seeds_of
from tests.fuzz.mutation import mutated

MUTATIONS = 150
LARGEST_SEED = 8192


def test_every_entry_has_its_inputs() -> None:
    assert set(NAMES) == set(ENTRIES) == {path.name for path in CORPUS.iterdir() if path.is_dir()}
    assert all(seeds_of(name) for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_kept_input_breaks_a_rule(name: str) -> None:
    for seed in seeds_of(name):
        assert len(seed) <= LARGEST_SEED
        ENTRIES[name](seed)


@pytest.mark.parametrize("name", NAMES)
def test_blind_mutations_of_the_kept_inputs_break_no_rule(name: str) -> None:
    draw = random.Random(7)  # noqa: S311 - the same in every run
    seeds = seeds_of(name)

    for _ in range(MUTATIONS):
        ENTRIES[name](mutated(seeds, draw))
