"""Faults that an App of this kind has had in the field, each by its name.

Two more need servers: the counter of wrong codes that a right one does not clear, and traffic in
the foreground. They are in `tests/integration/app/test_known_faults.py`.
"""

from datetime import UTC, datetime, timedelta

import pytest

from immuni.api import ChunkIndex, ConfigurationSettings
from immuni.app.analytics.decision import (
    Sending,
    after_contact,
    after_detection,
)
from immuni.app.analytics.memory import AnalyticsMemory, Detected
from immuni.app.analytics.tokens import with_authorisation, with_token
from immuni.app.chunks import due_chunks
from immuni.app.decision import after_detection as after_match
from immuni.app.dummies.decision import start_wait, valid_opportunity
from immuni.app.notifications import NotificationKind
from immuni.app.record import AppRecord
from immuni.app.state import AtRisk
from immuni.app.status import phone_status
from immuni.framework import InactiveReason, Status
from tests.unit.app.analytics.drawn import ALWAYS, INSTALLED, NOON, Drawing, a_memory
from tests.unit.app.records import NOW, a_detection, an_info, days_ago

LONG = timedelta(days=100)


def test_skipped_chunks() -> None:
    """A session fetched the newest chunk alone, and took those before it for processed."""
    assert list(due_chunks(ChunkIndex(oldest=3, newest=9), 5)) == [6, 7, 8, 9]


def test_lost_tokens() -> None:
    """A token that was made but not authorised yet was replaced by a new one at each session."""
    memory = with_token(AnalyticsMemory(), now=NOON, is_detection=True, entropy=Drawing())
    again = with_token(memory, now=NOON, is_detection=True, entropy=Drawing(0.1))

    assert again == memory
    assert memory.token is not None
    kept = with_authorisation(memory, memory.token.digits)
    assert with_token(kept, now=NOON, is_detection=True, entropy=Drawing(0.1)) == kept


def test_month_without_year() -> None:
    """Only the number of the month was kept, so a phone was silent in the same one a year later."""
    memory, _ = after_detection(
        a_memory(), Detected.EXPOSURE, now=NOON, settings=ALWAYS, entropy=Drawing()
    )

    _, a_year_later = after_detection(
        memory,
        Detected.EXPOSURE,
        now=NOON.replace(year=NOON.year + 1),
        settings=ALWAYS,
        entropy=Drawing(),
    )

    assert a_year_later is Sending.WITH_EXPOSURE


def test_a_december_is_before_the_january_that_follows() -> None:
    december, january = datetime(2020, 12, 20, tzinfo=UTC), datetime(2021, 1, 20, tzinfo=UTC)

    memory = AnalyticsMemory()
    for now in (december, january):
        memory = after_contact(
            memory, now=now, installed_at=INSTALLED, settings=ALWAYS, entropy=Drawing()
        )

    assert memory.moment is not None
    assert memory.moment.month == january.date().replace(day=1)


def test_gate_never_armed() -> None:
    """A window that nobody had drawn at the first start never opened, so no dummy was ever sent."""
    settings = ConfigurationSettings()
    memory = after_contact(
        AnalyticsMemory(), now=NOON, installed_at=NOON, settings=settings, entropy=Drawing()
    )
    uploads = valid_opportunity(None, now=NOON, settings=settings, entropy=Drawing())

    assert memory.dummy_from is not None
    assert memory.moment is not None
    opened = uploads.opens_at
    assert NOON < opened < NOON + LONG
    assert start_wait(uploads, now=opened, settings=settings, entropy=Drawing()) is not None


def test_silent_second_exposure() -> None:
    """A user who was at risk already was not told of a later contact."""
    at_risk = AppRecord(user=AtRisk(days_ago(5)))

    record = after_match(at_risk, a_detection(an_info(day=days_ago(2))), now=NOW)

    assert [each.kind for each in record.notifications] == [NotificationKind.RISK]
    assert record.notifications[0].contact_day == days_ago(2)
    assert not record.is_warning_seen


@pytest.mark.parametrize("reason", InactiveReason)
def test_service_shown_active_when_it_is_not(reason: InactiveReason) -> None:
    """Only the permission was looked at, not the radio, the pause, nor whether checks succeed."""
    checked = AppRecord(last_check=NOW)
    late = AppRecord(last_check=NOW - timedelta(days=2))

    def active(record: AppRecord, *reasons: InactiveReason) -> bool:
        framework = Status(frozenset(reasons), "a safe")
        return phone_status(record, framework, build_number=10, now=NOW).active

    assert active(checked)
    assert not active(checked, reason)
    assert not active(late)
