"""Small counts stay unknown to whoever subtracts what is shown from what is shown."""

from collections.abc import Mapping
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from immuni.backend.analytics.insights.tables import Cell, Dimension, Table
from immuni.backend.analytics.insights.withholding import UnprotectableError, withhold
from tests.unit.backend.analytics.insights.attacker import Attacker

PROVINCES = Dimension(
    {
        "TO": ("TO", "Piemonte", "Italia"),
        "CN": ("CN", "Piemonte", "Italia"),
        "AO": ("AO", "Valle d'Aosta", "Italia"),
        "GE": ("GE", "Liguria", "Italia"),
        "abroad": ("abroad", "Italia"),
    }
)
PLATFORMS = Dimension.flat(["android", "ios"], total="both")
DAYS = Dimension.flat(["1", "2", "3"], total="month")
SHAPES = ([PROVINCES], [PROVINCES, PLATFORMS], [PLATFORMS, DAYS])
CUBE = [PROVINCES, PLATFORMS, DAYS]
# The attacker is exact, and slow where numbers are large; the rule is the same for every number.
K = 3


def small_cells(table: Table, k: int) -> list[Cell]:
    return [cell for cell, count in table.counts.items() if 0 < count < k]


def only_small_withheld(table: Table, k: int) -> dict[Cell, int | None]:
    """What is shown when nobody thinks of subtracting."""
    return {cell: None if 0 < n < k else n for cell, n in table.counts.items()}


def random_table(seed: int, dimensions: list[Dimension] | None = None, most: int = 12) -> Table:
    """Draw counts of which many are small or 0, as on most days in most provinces."""
    random = Random(seed)  # noqa: S311 - test data
    chosen = dimensions or random.choice(SHAPES)
    typical = random.choice([0.5, 2, most / 3]) if most < 60 else most / 5
    leaves = product(*(each.paths for each in chosen))
    return Table(chosen, {leaf: min(most, int(random.expovariate(1 / typical))) for leaf in leaves})


def found_out(table: Table, shown: Mapping[Cell, int | None], k: int) -> list[Cell]:
    """Return the small cells of which the attacker can rule out a number from 0 to `k`."""
    attacker = Attacker(table, shown)
    cells = small_cells(table, k)
    return [c for c in cells if not all(attacker.can_be(c, n) for n in range(k + 1))]


def test_an_attacker_rules_out_no_number_up_to_k_for_any_small_count() -> None:
    for seed in range(300):
        table = random_table(seed)

        assert found_out(table, withhold(table, k_anonymity=K), K) == [], seed


def pinned(table: Table, shown: Mapping[Cell, int | None]) -> list[Cell]:
    """Return the small cells that cannot be everything from 0 to 10, by a linear program."""
    attacker = Attacker(table, shown)
    intervals = {cell: attacker.interval(cell) for cell in small_cells(table, 10)}
    return [cell for cell, (low, high) in intervals.items() if low > 0 or high < 10]


def test_an_attacker_with_a_linear_program_narrows_no_small_count_of_three_dimensions() -> None:
    tables = [random_table(seed, CUBE, most=60) for seed in range(6)]

    assert [pinned(table, withhold(table, k_anonymity=10)) for table in tables] == [[]] * 6
    assert sum(bool(pinned(table, only_small_withheld(table, 10))) for table in tables) == 6


def test_the_same_attacker_succeeds_where_only_small_counts_are_withheld() -> None:
    tables = [random_table(seed) for seed in range(300)]
    with_small = [table for table in tables if small_cells(table, K)]

    lost = [table for table in with_small if found_out(table, only_small_withheld(table, K), K)]

    assert len(lost) > len(with_small) / 2


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=10, max_size=10), st.integers(2, 5))
def test_no_table_gives_its_small_counts_away(counts: list[int], k: int) -> None:
    leaves = product(PROVINCES.paths, PLATFORMS.paths)
    table = Table([PROVINCES, PLATFORMS], dict(zip(leaves, counts, strict=True)))
    shown = withhold(table, k_anonymity=k)

    assert found_out(table, shown, k) == []
    assert all(n is None or n == table.counts[cell] for cell, n in shown.items())


def test_no_withheld_count_can_be_computed() -> None:
    for seed in range(60):
        table = random_table(seed, most=6)
        shown = withhold(table, k_anonymity=K)
        attacker = Attacker(table, shown)
        withheld = [cell for cell, count in shown.items() if count is None]

        for cell in withheld:
            others = (n for n in range(3 * K + 20) if n != table.counts[cell])
            assert any(attacker.can_be(cell, n) for n in others), (seed, cell)


def test_a_country_gives_nothing_away_by_its_sums() -> None:
    paths = {f"p{i}": (f"p{i}", f"region {i % 20}", "all") for i in range(107)}
    days = Dimension.flat([str(day) for day in range(2)], total="month")
    table = random_table(1, [Dimension(paths), PLATFORMS, days], most=60)
    shown = withhold(table, k_anonymity=10)
    attacker = Attacker(table, shown)

    intervals = [attacker.quick_interval(cell) for cell in small_cells(table, 10)]

    assert len(intervals) > 100
    assert all(low == 0 and high >= 10 for low, high in intervals)
    assert shown["all", "both", "month"] == table.counts["all", "both", "month"]


def test_nothing_is_withheld_where_no_count_is_small() -> None:
    leaves: dict[Cell, int] = {("TO",): 10, ("CN",): 0, ("AO",): 11, ("GE",): 500}
    table = Table([PROVINCES], leaves)

    assert withhold(table, k_anonymity=10) == table.counts


def test_the_smallest_other_count_that_suffices_goes_with_a_small_one() -> None:
    days = Dimension.flat("abcd", total="month")
    table = Table([days], {("a",): 4, ("b",): 900, ("c",): 5, ("d",): 30})

    shown = withhold(table, k_anonymity=10)

    assert shown == {("a",): None, ("b",): 900, ("c",): None, ("d",): None, ("month",): 939}


def test_small_counts_hide_each_other_where_they_can() -> None:
    days = Dimension.flat("abc", total="month")
    table = Table([days], {("a",): 4, ("b",): 900, ("c",): 6})

    shown = withhold(table, k_anonymity=10)

    assert shown == {("a",): None, ("b",): 900, ("c",): None, ("month",): 910}


def test_a_small_total_is_hidden_from_outside_it_too() -> None:
    table = Table([PROVINCES], {("TO",): 4, ("CN",): 3, ("AO",): 900, ("GE",): 50, ("abroad",): 70})

    shown = withhold(table, k_anonymity=10)

    assert shown["Piemonte",] is None
    assert pinned(table, shown) == []


def test_a_province_that_is_a_region_is_hidden_as_both() -> None:
    table = Table([PROVINCES], {("TO",): 80, ("CN",): 40, ("AO",): 3, ("GE",): 20})

    shown = withhold(table, k_anonymity=10)

    withheld = {cell[0] for cell, count in shown.items() if count is None}
    assert withheld == {"AO", "Valle d'Aosta", "GE", "Liguria"}


def test_a_total_is_withheld_with_its_only_small_count() -> None:
    table = Table([PLATFORMS], {("ios",): 3})

    assert withhold(table, k_anonymity=10) == {("ios",): None, ("android",): 0, ("both",): None}


def test_the_same_counts_in_another_order_give_the_same_answer() -> None:
    table = random_table(5, CUBE)
    turned = Table(table.dimensions, dict(reversed([*table.leaves.items()])))

    assert withhold(turned, k_anonymity=K) == withhold(table, k_anonymity=K)


@pytest.mark.parametrize("seed", range(8))
def test_days_that_were_shown_already_and_their_month_give_nothing_away(seed: int) -> None:
    table = random_table(seed, CUBE, most=60)
    days: dict[Cell, int | None] = {}
    for day in DAYS.paths:
        leaves = {leaf[:2]: count for leaf, count in table.leaves.items() if leaf[2] == day}
        of_day = withhold(Table([PROVINCES, PLATFORMS], leaves), k_anonymity=10)
        days |= {(*cell, day): count for cell, count in of_day.items()}

    shown = withhold(
        table,
        k_anonymity=10,
        shown_before={cell for cell, count in days.items() if count is not None},
        withheld_before={cell for cell, count in days.items() if count is None},
    )

    assert days.items() <= shown.items()
    assert pinned(table, shown) == []


def test_a_small_count_that_was_given_away_before_is_refused() -> None:
    table = Table([PLATFORMS], {("ios",): 3, ("android",): 50})

    with pytest.raises(UnprotectableError):
        withhold(table, k_anonymity=10, shown_before={("android",), ("both",)})
    with pytest.raises(UnprotectableError):
        withhold(table, k_anonymity=10, shown_before={("ios",)})


@pytest.mark.parametrize(
    "paths",
    [
        {"a": ("b", "all")},
        {"a": ("a", "all"), "b": ("b", "total")},
        {"a": ("a", "north", "all"), "b": ("b", "north", "south", "all")},
        {"a": ("a", "a")},
        {},
    ],
)
def test_a_dimension_is_a_tree(paths: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match=r"path|places|total"):
        Dimension(paths)


def test_counts_are_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        Table([PLATFORMS], {("ios",): -1})
