"""Dates of the risk models: UTC days, and how many of them ago."""

from datetime import UTC, date, datetime


def today_at(now: datetime) -> date:
    """Return the UTC day of `now`.

    Raises:
        ValueError: `now` is naive.
    """
    if now.utcoffset() is None:
        raise ValueError("the time of a detection must be an aware datetime")
    return now.astimezone(UTC).date()


def days_since(day: date, today: date) -> int:
    """Return how many days ago `day` was; 0 where it is still to come."""
    # The other phone's clock may run ahead by up to two hours: its tomorrow is our today.
    return max(0, (today - day).days)
