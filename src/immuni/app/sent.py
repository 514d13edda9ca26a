"""What has left the phone and meant something, as the person's own record of it. Pure.

Dummies are not in it: they hold nothing of the person, and a list of them would tell whoever reads
it which of the requests that somebody saw on the line were genuine.
"""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

SENT_RETENTION: Final = timedelta(days=28)


class SentKind(StrEnum):
    """What can leave a phone, but for what is the same on every phone."""

    UPLOAD = "upload"
    REPORT_WITH_EXPOSURE = "report_with_exposure"
    REPORT_WITHOUT_EXPOSURE = "report_without_exposure"


class Sent(msgspec.Struct, frozen=True):
    """One thing that was sent.

    Attributes:
        day: UTC day on which it left the phone.
        kind: What it was; its contents are not kept a second time.
    """

    day: date
    kind: SentKind


def with_sent(sent: tuple[Sent, ...], kind: SentKind, now: datetime) -> tuple[Sent, ...]:
    """Return the record with one more entry, latest first."""
    return (Sent(now.astimezone(UTC).date(), kind), *sent)
