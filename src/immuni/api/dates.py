"""Today, in any time zone on Earth."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

_EARLIEST_ZONE: Final = timezone(timedelta(hours=14))
_LATEST_ZONE: Final = timezone(-timedelta(hours=12))


def latest_today(now: datetime) -> date:
    """Return the latest day that is today somewhere (UTC+14).

    Raises:
        ValueError: `now` is naive.
    """
    return _aware(now).astimezone(_EARLIEST_ZONE).date()


def earliest_today(now: datetime) -> date:
    """Return the earliest day that is today somewhere (UTC−12).

    Raises:
        ValueError: `now` is naive.
    """
    return _aware(now).astimezone(_LATEST_ZONE).date()


def is_recent(day: date, *, now: datetime, window: timedelta) -> bool:
    """Tell whether `day` is not in the future and at most `window` old, anywhere on Earth.

    Source:
        HTTP API, "Rules for all": "Today" is the day in any time zone on Earth.
    """
    return earliest_today(now) - window <= day <= latest_today(now)


def _aware(now: datetime) -> datetime:
    if now.utcoffset() is None:
        raise ValueError("today needs an aware datetime")
    return now.astimezone(UTC)
