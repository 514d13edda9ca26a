"""Keys that are due, in columns: one night of a country may have millions of them."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Self, TypeVar

from immuni.keys import PackedKeys, ReportType

T = TypeVar("T")


@dataclass(slots=True)
class DueKeys:
    """Keys that are published now, in no particular order.

    Attributes:
        key_data: 16 bytes each.
        rolling_starts: First interval of each.
        rolling_periods: Number of intervals of each.
        transmission_risk_levels: Level of infectiousness of each.
        onsets: Day of each minus onset, in days.
    """

    key_data: list[bytes] = field(default_factory=list, repr=False)
    rolling_starts: list[int] = field(default_factory=list, repr=False)
    rolling_periods: list[int] = field(default_factory=list, repr=False)
    transmission_risk_levels: list[int] = field(default_factory=list, repr=False)
    onsets: list[int] = field(default_factory=list, repr=False)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.key_data)

    def add(self, key_data: bytes, start: int, period: int, *, level: int, onset: int) -> None:
        """Add one key."""
        self.key_data.append(key_data)
        self.rolling_starts.append(start)
        self.rolling_periods.append(period)
        self.transmission_risk_levels.append(level)
        self.onsets.append(onset)

    def extend(self, more: Self) -> None:
        """Add many keys."""
        self.key_data += more.key_data
        self.rolling_starts += more.rolling_starts
        self.rolling_periods += more.rolling_periods
        self.transmission_risk_levels += more.transmission_risk_levels
        self.onsets += more.onsets

    def without(self, key_data: Collection[bytes]) -> "DueKeys":
        """Return all but some of them."""
        stays = [each not in key_data for each in self.key_data]
        return DueKeys(
            list(compress(self.key_data, stays)),
            list(compress(self.rolling_starts, stays)),
            list(compress(self.rolling_periods, stays)),
            list(compress(self.transmission_risk_levels, stays)),
            list(compress(self.onsets, stays)),
        )

    def packed(self) -> PackedKeys:
        """Return them as a chunk has them, in the order of their bytes."""
        order = sorted(range(len(self)), key=self.key_data.__getitem__)
        return PackedKeys.from_columns(
            key_data=b"".join(_in_order(self.key_data, order)),
            rolling_starts=array("I", _in_order(self.rolling_starts, order)),
            rolling_periods=bytes(_in_order(self.rolling_periods, order)),
            transmission_risk_levels=bytes(_in_order(self.transmission_risk_levels, order)),
            report_types=bytes([ReportType.CONFIRMED_TEST]) * len(order),
            onsets=array("q", _in_order(self.onsets, order)),
        )


def _in_order(column: Sequence[T], order: Iterable[int]) -> list[T]:
    return [column[place] for place in order]
