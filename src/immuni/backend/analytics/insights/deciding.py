"""What is shown of one table, when some of it was shown before and the rest is not decided yet."""

from collections.abc import Collection
from typing import Final

from immuni.backend.analytics.insights.figures import Figures
from immuni.backend.analytics.insights.tables import Cell, Table
from immuni.backend.analytics.insights.withholding import UnprotectableError, withhold

MONTH: Final = "month"
"""The node above all days, or all periods, of a month."""


def decide(
    table: Table,
    *,
    new: Collection[Cell],
    before: Figures,
    known: Collection[Cell],
    k_anonymity: int,
) -> Figures:
    """Decide which of some cells are shown.

    Everything else is taken for what it is now: shown, or not. Where no choice would protect all
    small counts, none of the cells is shown, be it 0.

    Args:
        table: The counts, as far as they go today.
        new: The cells to be decided.
        before: Those that were decided earlier.
        known: Cells to be treated as if they were shown: those that are shown elsewhere, and those
            that shall be. Small ones never are.
        k_anonymity: The smallest count, other than 0, that is shown.
    """
    counts = table.counts
    shown = {cell for cell, count in before.items() if count is not None}
    shown |= {cell for cell in known if not 0 < counts[cell] < k_anonymity}
    try:
        decided = withhold(
            table,
            k_anonymity=k_anonymity,
            shown_before=shown,
            withheld_before=counts.keys() - shown - set(new),
        )
    except UnprotectableError:
        # Not even zeros: beside sums that are known they would tell where everything else is.
        return dict.fromkeys(new)
    return {cell: decided[cell] for cell in new}
