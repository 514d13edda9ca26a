"""Notifications on a real session bus, with a small server of notifications on it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from immuni.app.desktop import DesktopNotifier
from immuni.app.desktop.notifier import Words
from immuni.app.notifications import Notification, NotificationKind
from tests.integration.app.desktop import desktop_on, session_bus

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 8, 12, tzinfo=UTC)
WARNING = Notification(kind=NotificationKind.RISK, at=NOON)
UPDATE = Notification(kind=NotificationKind.UPDATE_REQUIRED, at=NOON)


def words(notification: Notification) -> Words:
    return Words(notification.kind.name, "1 < 2 & 3", "Open")


@pytest.fixture
async def bus(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    # The name of a socket has at most 107 bytes; folders of tests may have longer ones.
    with TemporaryDirectory() as folder:
        async with session_bus(Path(folder)) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            yield address


@pytest.fixture
async def clicked() -> "asyncio.Queue[Notification]":
    return asyncio.Queue()


@pytest.fixture
async def notifier(clicked: "asyncio.Queue[Notification]") -> AsyncIterator[DesktopNotifier]:
    notifier = DesktopNotifier(words, clicked.put)
    yield notifier
    await notifier.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - another program makes it true
            await asyncio.sleep(0.01)


async def test_a_notification_appears_and_a_click_on_it_is_told(
    bus: str, notifier: DesktopNotifier, clicked: "asyncio.Queue[Notification]"
) -> None:
    async with desktop_on(bus) as desktop:
        assert await notifier.show(WARNING)
        assert await notifier.show(UPDATE)
        warning, update = desktop.shown
        await desktop.click_on(update)
        async with asyncio.timeout(30):
            told = await clicked.get()

    assert (warning.app, warning.icon, warning.title) == ("Immuni", "immuni", "RISK")
    assert warning.text == "1 &lt; 2 &amp; 3"
    assert warning.actions == ["default", "Open"]
    assert [each.hints["urgency"] for each in desktop.shown] == [("y", 2), ("y", 1)]
    assert told == UPDATE


async def test_a_newer_notification_of_a_kind_takes_the_place_of_the_older(
    bus: str, notifier: DesktopNotifier
) -> None:
    async with desktop_on(bus) as desktop:
        for notification in (WARNING, UPDATE, WARNING):
            await notifier.show(notification)

    assert [each.replaces for each in desktop.shown] == [0, 0, desktop.shown[0].number]


async def test_what_the_user_has_seen_elsewhere_is_taken_back(
    bus: str, notifier: DesktopNotifier, clicked: "asyncio.Queue[Notification]"
) -> None:
    async with desktop_on(bus) as desktop:
        await notifier.show(WARNING)
        await notifier.withdraw()
        await notifier.withdraw()

    assert desktop.closed == [desktop.shown[0].number]
    assert clicked.empty()


async def test_without_a_bus_or_anybody_on_it_nothing_is_shown_and_later_it_is(
    notifier: DesktopNotifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory() as folder:
        assert not await notifier.show(WARNING)
        async with session_bus(Path(folder)) as address:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
            assert not await notifier.show(WARNING)
            async with desktop_on(address) as desktop:
                assert await notifier.show(WARNING)
                assert [each.title for each in desktop.shown] == ["RISK"]
        assert not await notifier.show(WARNING)
