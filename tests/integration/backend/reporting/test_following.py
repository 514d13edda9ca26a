"""Following the database: woken by notifications, with a poll behind."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from immuni.backend.errors import UnavailableError
from immuni.backend.following import Connection, Follower, FollowingSettings

pytestmark = pytest.mark.anyio


class Refreshes:
    """Counts refreshes, and lets a test wait for the next one."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Condition()

    async def __call__(self, connection: Connection) -> None:
        await connection.execute("SELECT 1")
        async with self._changed:
            self.count += 1
            self._changed.notify_all()

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(lambda: self.count >= count)


def follower(url: str, refreshes: Refreshes, poll: timedelta) -> Follower:
    settings = FollowingSettings(refresh_poll=poll)
    return Follower(url, channel="trial", refresh=refreshes, settings=settings)


async def test_a_notification_wakes_long_before_the_poll(empty_database: str) -> None:
    refreshes = Refreshes()
    async with follower(empty_database, refreshes, timedelta(minutes=5)).running():
        await refreshes.reach(1)
        async with await psycopg.AsyncConnection.connect(empty_database) as writer:
            await writer.execute("NOTIFY trial")

        await refreshes.reach(2)


async def test_without_notifications_the_poll_refreshes(empty_database: str) -> None:
    refreshes = Refreshes()
    async with follower(empty_database, refreshes, timedelta(milliseconds=100)).running():
        await refreshes.reach(3)


async def test_a_lost_connection_is_made_again(empty_database: str) -> None:
    refreshes = Refreshes()
    following = follower(empty_database, refreshes, timedelta(milliseconds=100))
    async with following.running():
        await refreshes.reach(1)
        async with await psycopg.AsyncConnection.connect(empty_database) as admin:
            await admin.execute(
                sql.SQL(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        before = refreshes.count

        await refreshes.reach(before + 2)
        await following.is_fresh()


async def test_what_was_never_read_is_not_answered_from() -> None:
    following = follower("postgresql://nowhere.invalid/x", Refreshes(), timedelta(seconds=1))

    with pytest.raises(UnavailableError):
        following.check_read()
    with pytest.raises(UnavailableError):
        await following.is_fresh()
