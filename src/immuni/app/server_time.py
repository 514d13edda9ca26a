"""The phone's idea of the server's time.

Source:
    HTTP API, "Rules for all": `Date` + `Age`, from settings or index answers only.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

UNCERTAINTY: Final = timedelta(seconds=60)
"""How far the idea may be off: answers travel, wait in caches, and count whole seconds."""


class ServerTime(msgspec.Struct, frozen=True):
    """How far the server's clock is ahead of the phone's.

    Attributes:
        ahead: Server's clock minus phone's clock, within `UNCERTAINTY`.
    """

    ahead: timedelta

    def at(self, phone_time: datetime) -> datetime:
        """Return the server's time at a moment of the phone's clock."""
        return phone_time + self.ahead


def read_server_time(headers: Mapping[str, str], *, received_at: datetime) -> ServerTime | None:
    """Compare an answer's `Date` with the phone's clock.

    Args:
        headers: The answer's headers, looked up in lower case or in a mapping that ignores case.
        received_at: The phone's clock when the answer arrived.

    Returns:
        The difference, or None when the answer does not say when it was made.
    """
    made_at = _http_date(headers.get("date", ""))
    if made_at is None:
        return None
    age = headers.get("age", "0")
    # A cache that says nothing sensible about the age gives no idea of the time.
    if not (age.isascii() and age.isdecimal() and len(age) <= 9):
        return None
    try:
        return ServerTime(made_at + timedelta(seconds=int(age)) - received_at)
    except OverflowError:
        return None  # At the end of the calendar nobody knows what time it is.


def _http_date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
