"""Calendar months in UTC, and the periods that they are made of."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from immuni.backend.analytics.insights.periods import FIRST_DAYS, days_of_period

NAMES: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month.

    >>> Month.parse("2026-02").days[-1]
    datetime.date(2026, 2, 28)
    """

    first: date

    def __post_init__(self) -> None:
        if self.first.day != 1:
            raise ValueError(f"a month begins on day 1, got {self.first}")

    @classmethod
    def of(cls, day: date) -> "Month":
        """Return the month that holds a day."""
        return cls(day.replace(day=1))

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read a month, written as in a path: 2026-10.

        Raises:
            ValueError: It is none.
        """
        return cls(date.fromisoformat(f"{text}-01"))

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{NAMES[self.first.month - 1]} {self.first.year}"

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month.of(self.first + timedelta(days=31))

    @property
    def previous(self) -> "Month":
        """The month before it."""
        return Month.of(self.first - timedelta(days=1))

    @property
    def days(self) -> list[date]:
        """All its days."""
        count = (self.next.first - self.first).days
        return [self.first + timedelta(day) for day in range(count)]

    @property
    def periods(self) -> list[date]:
        """The first days of its periods."""
        return [self.first.replace(day=day) for day in FIRST_DAYS]

    def holds(self, day: date) -> bool:
        """Tell whether a day lies in it."""
        return Month.of(day) == self


def period_name(since: date) -> str:
    """Return the days of a period, as people write them.

    >>> period_name(date(2026, 10, 22))
    '22 to 31 October'
    """
    return f"{since.day} to {days_of_period(since)[-1].day} {NAMES[since.month - 1]}"
