from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from immuni.portal.history.rules import DayTotal, Totals, totals_of

TODAY = date(2020, 6, 20)
SMALL = 5


def totals(*newest_first: int) -> Totals:
    counts = {TODAY - timedelta(days=ago): count for ago, count in enumerate(newest_first)}
    return totals_of(counts, today=TODAY, days=len(newest_first), small=SMALL)


def test_counts_that_could_point_at_somebody_are_withheld() -> None:
    shown = totals(0, 1, 4, 5, 80)

    assert [each.count for each in shown.days] == [0, None, None, 5, 80]
    assert (shown.shown, shown.busiest) == (85, 80)


def test_a_day_without_a_row_had_no_codes() -> None:
    assert totals_of({}, today=TODAY, days=2, small=SMALL).days == [
        DayTotal(TODAY, 0),
        DayTotal(TODAY - timedelta(days=1), 0),
    ]


@given(st.lists(st.integers(0, 20), max_size=28), st.data())
def test_nobody_can_tell_two_withheld_counts_apart(counts: list[int], data: st.DataObject) -> None:
    small = st.integers(1, SMALL - 1)
    others = [data.draw(small) if 0 < each < SMALL else each for each in counts]

    assert totals(*counts) == totals(*others)
