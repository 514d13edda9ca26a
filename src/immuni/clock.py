"""The time of day, as a value that is handed in.

Whatever needs the time takes a `Clock`. Only `SystemClock` looks at the machine's.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Something that knows what time it is."""

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads the machine's clock


class ManualClock:
    """A clock that stands still until it is moved: for tests, virtual phones and simulations."""

    def __init__(self, start: datetime) -> None:
        """Stop the clock at `start`.

        Raises:
            ValueError: `start` is naive.
        """
        self._now = _aware(start)

    def now(self) -> datetime:
        """Return the instant at which the clock stands."""
        return self._now

    def set(self, instant: datetime) -> None:
        """Move the clock to `instant`, forwards or backwards."""
        self._now = _aware(instant)

    def advance(self, by: timedelta) -> None:
        """Move the clock by a duration, which may be negative."""
        self._now += by


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError("a clock needs an aware datetime")
    return instant.astimezone(UTC)
