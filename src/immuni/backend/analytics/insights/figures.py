"""What is shown: tables of figures, how they are named, and what has been decided about them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from immuni.backend.analytics.insights.tables import Cell

Figures = Mapping[Cell, int | None]
"""The count of each cell, None where it is not shown."""


class Subject(StrEnum):
    """What is counted. No table shows a sum over two subjects."""

    ACTIVE = "active"
    """Reports without exposure."""
    NOTIFIED = "notified"
    """Reports with exposure."""
    CODES = "codes"
    """What became of authorised codes, up to the upload."""
    CHUNKS = "chunks"
    """What is published, and so known to anybody."""


class Span(StrEnum):
    """Over which days."""

    DAY = "day"
    PERIOD = "period"
    MONTH = "month"


class Breakdown(StrEnum):
    """By what the counts of a table are told apart."""

    NOTHING = "nothing"
    PLACE = "place"
    BUILD = "build"
    """With a total of each platform."""
    ONSET = "onset"
    EXPOSURE = "exposure"
    DELAY = "delay"
    RISKY_DAY = "risky-day"


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """Which table of figures: of which subject, over what, told apart how, and from which day."""

    subject: Subject
    span: Span
    breakdown: Breakdown
    since: date


@dataclass(slots=True)
class Ledger:
    """Tables that have been decided: what they show, and what they do not.

    A cell that is missing from a decided table is 0.

    Attributes:
        tables: Every table that counts for what is decided next, by its name.
        new: Those that were decided since the ledger was opened, in their order.
    """

    tables: dict[TableName, Figures] = field(default_factory=dict)
    new: list[TableName] = field(default_factory=list)

    def enter(self, name: TableName, figures: Figures) -> None:
        """Enter a table, once and for all.

        Raises:
            ValueError: It was decided before.
        """
        if name in self.tables:
            raise ValueError(f"{name} was decided before")
        self.tables[name] = figures
        self.new.append(name)

    def of(
        self, subject: Subject, span: Span, breakdown: Breakdown, within: Iterable[date]
    ) -> dict[date, Figures]:
        """Return the tables of one kind that begin on one of some days, by that day."""
        names = {day: TableName(subject, span, breakdown, day) for day in within}
        return {day: self.tables[name] for day, name in names.items() if name in self.tables}
