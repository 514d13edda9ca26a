"""Before a code is sent: may this operator, this organisation, anybody authorise now?"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.limits import store
from immuni.portal.limits.metrics import LimitMetrics
from immuni.portal.limits.rules import (
    LIMIT_OF_STOP,
    PACE_WINDOW,
    Limit,
    Scope,
    Warned,
    bounds_of,
    busy_day,
    is_unusual_hour,
)
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.limits.store import Connection, Counted, Moment, Worker
from immuni.telemetry import logger

_WARNING_OF: Final = {
    Limit.QUOTA: Warned.QUOTA,
    Limit.ORGANISATION_QUOTA: Warned.QUOTA,
    Limit.PACE: Warned.PACE,
}

_log: Final = logger("portal")


class LimitReachedError(ImmuniError, PermissionError):
    """A code must not be authorised now; nothing was sent, and nothing is counted.

    Attributes:
        limit: Why.
        wait: After how long it may be; None where somebody has to allow it.
    """

    def __init__(self, limit: Limit, wait: timedelta | None = None) -> None:
        """Say why, and for how long."""
        super().__init__(limit)
        self.limit = limit
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place in the quotas, taken before the code is sent."""

    account: Account
    moment: Moment


class Guard:
    """Stops, quotas and pace, and the warnings that come before them."""

    def __init__(self, desk: Desk, settings: LimitSettings, registry: CollectorRegistry) -> None:
        """Keep what counting needs."""
        self._desk = desk
        self._settings = settings
        self._zone: ZoneInfo = desk.settings.portal_time_zone
        self._metrics = LimitMetrics(registry)

    async def stop_of(self, account: Account) -> Limit | None:
        """Return which switch stops an account, the widest first; None where it may go on."""
        async with self._desk.pool.connection() as connection:
            return await _stop_of(connection, account)

    async def reserve(self, account: Account) -> Reservation:
        """Take a place in the quotas of an account and its organisation.

        The place is taken before the code is sent, so that many requests at the same instant do
        not slip through together. A crash afterwards leaves it taken: the count is one too high.

        Raises:
            LimitReachedError: There is none; nothing is counted.
        """
        moment = self._now()
        try:
            async with self._desk.pool.connection() as connection:
                await self._check(connection, account, moment)
                for worker in store.workers_of(account):
                    await self._count(connection, worker, account, moment)
        except LimitReachedError as error:
            self._metrics.count_refusal(error.limit)
            await self._tell_of_limit(account, error.limit, moment)
            raise
        return Reservation(account, moment)

    async def release(self, reservation: Reservation) -> None:
        """Give a place back, because the code was not authorised."""
        async with self._desk.pool.connection() as connection:
            for worker in store.workers_of(reservation.account):
                await store.take_back(connection, worker, reservation.moment)

    async def _check(self, connection: Connection, account: Account, moment: Moment) -> None:
        if (stop := await _stop_of(connection, account)) is not None:
            raise LimitReachedError(stop)
        first = await store.nth_last_authorisation(
            connection, account, self._settings.portal_pace, since=moment.at - PACE_WINDOW
        )
        if first is not None:
            raise LimitReachedError(Limit.PACE, first + PACE_WINDOW - moment.at)

    async def _count(
        self, connection: Connection, worker: Worker, account: Account, moment: Moment
    ) -> None:
        counted = await store.add(connection, worker, moment)
        if counted is None:
            counted = await self._first_of_day(connection, worker, moment)
        if counted.count > counted.quota:
            raise LimitReachedError(store.QUOTA_OF[worker.scope], self._until_tomorrow(moment))
        if counted.count > counted.warn_above:
            await self._warn(connection, Warned.MUCH, worker, account, moment, counted.count)
        if counted.in_hour == 1 and worker.scope is Scope.ACCOUNT:
            history = await store.history_of(connection, worker, moment.day)
            if is_unusual_hour(history, moment.hour):
                await self._warn(connection, Warned.HOUR, worker, account, moment, counted.count)

    async def _first_of_day(
        self, connection: Connection, worker: Worker, moment: Moment
    ) -> Counted:
        history = await store.history_of(connection, worker, moment.day)
        bounds = bounds_of(history, worker.scope, self._settings)
        await store.begin_day(connection, worker, moment, bounds)
        counted = await store.add(connection, worker, moment)
        if counted is None:
            raise AssertionError("the row of a day was there a statement ago")
        return counted

    async def _tell_of_limit(self, account: Account, limit: Limit, moment: Moment) -> None:
        """Keep in the trail that a code was not sent, and warn of what is not a switch."""
        async with self._desk.pool.connection() as connection:
            if kind := _WARNING_OF.get(limit):
                worker = store.workers_of(account)[limit is Limit.ORGANISATION_QUOTA]
                await self._warn(connection, kind, worker, account, moment, count=0)
            event = Event(
                at=moment.at,
                action=Action.AUTHORISATION,
                outcome=Outcome.REFUSED,
                account_id=account.id,
                detail={"limit": limit},
            )
            await self._desk.trail.append(connection, event)

    async def _warn(
        self,
        connection: Connection,
        kind: Warned,
        worker: Worker,
        account: Account,
        moment: Moment,
        count: int,
    ) -> None:
        history = await store.history_of(connection, worker, moment.day)
        is_new = await store.warn(
            connection,
            kind,
            worker,
            organisation_id=account.organisation_id,
            moment=moment,
            count=count,
            busy=busy_day(history),
        )
        if is_new:
            self._metrics.count_warning(kind)
            _log.warning("unusual_authorisations", kind=kind, scope=worker.scope)

    def _now(self) -> Moment:
        at = self._desk.clock.now()
        local = at.astimezone(self._zone)
        return Moment(at, local.date(), local.hour)

    def _until_tomorrow(self, moment: Moment) -> timedelta:
        midnight = datetime.combine(moment.day + timedelta(days=1), time(), self._zone)
        return midnight - moment.at


async def _stop_of(connection: Connection, account: Account) -> Limit | None:
    stopped = await store.stopped_scopes(connection, account)
    for scope in reversed(Scope):
        if scope in stopped:
            return LIMIT_OF_STOP[scope]
    return None
