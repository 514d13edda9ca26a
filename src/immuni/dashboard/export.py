"""Tables as CSV, for spreadsheets.

Layout:
    RFC 4180: a header, lines that end with CR and LF, quotes where they are needed; UTF-8.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from immuni.dashboard.answers import EstimatesAnswer, FiguresAnswer
from immuni.dashboard.figures import Breakdown, Cell

CSV: Final = "text/csv; charset=utf-8"

_OF_A_TABLE: Final = ("subject", "span", "breakdown", "since", "node", "kind")
# What a spreadsheet takes for a formula when it begins a cell.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def figures_csv(answer: FiguresAnswer) -> bytes:
    """Write a table of figures; a count that is withheld is empty and `withheld` says yes."""
    return _written(
        (*_OF_A_TABLE, "count", "withheld"),
        (
            (*_place(answer, each.cell), each.count, _yes(each.count is None))
            for each in answer.cells
        ),
    )


def estimates_csv(answer: EstimatesAnswer) -> bytes:
    """Write estimates; numbers that are not known are empty."""
    return _written(
        (*_OF_A_TABLE, "reports", "phones", "low", "high", "withheld"),
        (
            (
                *_place(answer, each.cell),
                each.reports,
                each.phones,
                each.low,
                each.high,
                _yes(each.reports is None),
            )
            for each in answer.estimates
        ),
    )


def _place(answer: FiguresAnswer | EstimatesAnswer, cell: Cell) -> tuple[str, ...]:
    release = answer.release
    node = ("",) if release.breakdown is Breakdown.NOTHING else ()
    table = (release.subject, release.span, release.breakdown, release.since.isoformat())
    return (*table, *node, *cell)


def _written(head: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_harmless(field) for field in row] for row in rows)
    return text.getvalue().encode()


def _harmless(field: str | int | None) -> str | int | None:
    """Keep a spreadsheet from running a text as a formula."""
    if isinstance(field, str) and field.startswith(_FORMULAS):
        return f"'{field}"
    return field


def _yes(is_so: bool) -> str:  # noqa: FBT001 - told by its name
    return "yes" if is_so else "no"
