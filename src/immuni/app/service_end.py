"""When the service has ended for a phone, and what it keeps then. Pure.

Two things follow, and they differ in what they cost when a clock was wrong. Falling silent can be
undone, so that the phone's best idea of the time is enough for it. Erasing cannot: for it two
clocks agree, or so much time has passed that nothing is left that a clock could spoil.

Source:
    Overview, `service_end_date`.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from immuni.app.decision import notified
from immuni.app.notifications import Notification, NotificationKind
from immuni.app.record import AppRecord

SILENCE_BEFORE_ERASING: Final = timedelta(days=14)
"""Without a server's clock. By then keys and what was heard are too old and gone by themselves:
a phone whose clock was set so far ahead has lost them anyway."""


def has_ended(record: AppRecord, *, now: datetime) -> bool:
    """Tell whether there is no service any more, as far as the phone knows.

    Args:
        record: Its memory, with the settings and what it learned of the server's clock.
        now: The phone's clock.
    """
    end = record.settings.values.service_end_date
    return end is not None and _day(_best_time(record, now)) >= end


def may_erase(record: AppRecord, *, now: datetime, server_now: datetime | None) -> bool:
    """Tell whether the end is so certain that what is stored may be destroyed.

    Args:
        record: The phone's memory.
        now: The phone's clock.
        server_now: The server's clock, where a server told it together with these settings.
    """
    end = record.settings.values.service_end_date
    if end is None or _day(now) < end:
        return False
    if server_now is not None:
        return _day(server_now) >= end
    return has_ended(record, now=now - SILENCE_BEFORE_ERASING)


def remains(record: AppRecord) -> AppRecord:
    """Return what a phone keeps of its memory: the language, and what it knows of the end."""
    return AppRecord(
        settings=record.settings,
        server_time=record.server_time,
        language=record.language,
        next_session=record.next_session,
        notifications=tuple(each for each in record.notifications if _tells_end(each)),
        unseen=record.unseen if _tells_end(record.unseen) else None,
        told=record.told if _tells_end(record.told) else None,
        end_told=record.end_told,
    )


def with_end_told(record: AppRecord, *, now: datetime) -> AppRecord:
    """Return the memory with the user told of the end, once for each date."""
    end = record.settings.values.service_end_date
    if record.end_told == end:
        return record
    news = Notification(kind=NotificationKind.SERVICE_ENDED, at=now)
    return replace(notified(record, news), end_told=end)


def _best_time(record: AppRecord, now: datetime) -> datetime:
    return now if record.server_time is None else record.server_time.at(now)


def _tells_end(notification: Notification | None) -> bool:
    return notification is not None and notification.kind is NotificationKind.SERVICE_ENDED


def _day(instant: datetime) -> date:
    return instant.astimezone(UTC).date()
