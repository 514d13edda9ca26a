"""The time of day, as a value that is handed in.

Whatever needs the time takes a `Clock`. Only `SystemClock` looks at the machine's.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

_MICROSECOND: Final = timedelta(microseconds=1)


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


class MovableClock(Clock, Protocol):
    """A clock that somebody can set."""

    def set(self, instant: datetime) -> None:
        """Let the clock show `instant`."""
        ...


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


class MovedClock:
    """Another clock, ahead of it by as much as a file says: one time for many processes.

    For demonstrations, in which days pass in a moment. All who read the same file agree at every
    moment: it is read each time, and replaced in one step.
    """

    def __init__(self, file: Path, followed: Clock) -> None:
        """Show the time of `followed`, and more once it is written in `file`."""
        self._file = file
        self._followed = followed

    def now(self) -> datetime:
        """Return the instant of the clock that is followed, moved."""
        return self._followed.now() + self._ahead()

    def set(self, instant: datetime) -> None:
        """Move to `instant`, for everybody who reads the file, and go on from there.

        It never goes back: where `instant` is past, nothing changes.
        """
        ahead = _aware(instant) - self._followed.now()
        if ahead <= self._ahead():
            return
        # In whole microseconds, so that nobody rounds differently.
        written = self._file.with_suffix(".new")
        written.write_text(str(ahead // _MICROSECOND), encoding="ascii")
        written.replace(self._file)

    def _ahead(self) -> timedelta:
        try:
            return int(self._file.read_text(encoding="ascii")) * _MICROSECOND
        except FileNotFoundError:
            return timedelta()


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError("a clock needs an aware datetime")
    return instant.astimezone(UTC)
