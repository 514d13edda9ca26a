"""How infectious a person was on a key's day: what ingestion keeps and publishing publishes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

from immuni.errors import ImmuniError
from immuni.keys import MAX_TRANSMISSION_RISK_LEVEL, TEK_ROLLING_PERIOD, TemporaryExposureKey
from immuni.settings import Kind, setting

TEST_AFTER_ONSET: Final = timedelta(days=2)
"""Without symptoms the test stands in for the second day after an onset."""

_DAYS_RANGE: Final = range(-14, 15)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_ENTRY: Final = re.compile(r"(?P<day>[+-]?\d{1,2}):(?P<level>\d)")


class InvalidInfectiousnessError(ImmuniError, ValueError):
    """A table of infectiousness, or the dates of a diagnosis, cannot be used."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Since when a person has been ill, as the operator entered it.

    Attributes:
        onset_on: First day of symptoms; None where there were none.
        tested_on: Day of the test; None where the onset is known.
    """

    onset_on: date | None
    tested_on: date | None

    def __post_init__(self) -> None:
        """Refuse both dates, and neither: nothing needs the other."""
        if (self.onset_on is None) == (self.tested_on is None):
            raise InvalidInfectiousnessError("a diagnosis has either an onset or a test date")

    @property
    def assumed_onset(self) -> date:
        """The onset, or what stands in for it."""
        match self.onset_on, self.tested_on:
            case date() as onset, None:
                return onset
            case None, date() as test:
                return test - TEST_AFTER_ONSET
            case _:
                raise AssertionError("__post_init__ lets exactly one date through")

    @property
    def onset_number(self) -> int:
        """The assumed onset, counted in days from 1970, as a rolling start divided by 144 is."""
        return self.assumed_onset.toordinal() - _EPOCH

    def days_to(self, tek: TemporaryExposureKey) -> int:
        """Return the key's day minus the onset, in days."""
        return tek.rolling_start_number // TEK_ROLLING_PERIOD - self.onset_number


@dataclass(frozen=True, slots=True)
class Infectiousness:
    """Transmission risk levels by days since the onset.

    Attributes:
        levels: Day relative to the onset to level, 0..8. A key of any other day is not published.
    """

    levels: Mapping[int, int]

    def __post_init__(self) -> None:
        """Check the days and the levels."""
        if not self.levels:
            raise InvalidInfectiousnessError("the table must name at least one day")
        for day, level in self.levels.items():
            if day not in _DAYS_RANGE or not 0 <= level <= MAX_TRANSMISSION_RISK_LEVEL:
                raise InvalidInfectiousnessError(
                    f"want days -14..14 and levels 0..8, got day {day} with level {level}"
                )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``day:level`` pairs, separated by commas.

        Raises:
            InvalidInfectiousnessError: A pair is malformed, out of range, or a day comes twice.
        """
        entries = [_ENTRY.fullmatch(entry) for entry in text.split(",")]
        levels = {int(entry["day"]): int(entry["level"]) for entry in entries if entry}
        if len(levels) != len(entries):
            raise InvalidInfectiousnessError("want pairs of distinct day and level")
        return cls(levels)

    def render(self) -> str:
        """Write the table as `parse` reads it."""
        return ",".join(f"{day}:{level}" for day, level in self.levels.items())

    def level(self, tek: TemporaryExposureKey, diagnosis: Diagnosis) -> int | None:
        """Return a key's transmission risk level, None where it must not be published."""
        return self.levels.get(diagnosis.days_to(tek))


DEFAULT_INFECTIOUSNESS: Final = Infectiousness.parse(
    "-2:6,-1:8,0:8,1:8,2:8,3:8,4:7,5:6,6:5,7:4,8:4,9:3,10:3,11:2,12:2,13:1,14:1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InfectiousnessSettings:
    """Which keys matter; ingestion keeps no others, publishing publishes no others."""

    infectiousness: Infectiousness = setting(
        Kind(
            Infectiousness.parse,
            "pairs day:level, separated by commas, days -14..14 from the onset, levels 0..8",
            Infectiousness.render,
        ),
        default=DEFAULT_INFECTIOUSNESS,
        meaning="Transmission risk level by days since the onset; other days are not published.",
    )
