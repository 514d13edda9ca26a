"""Places in the quotas, taken for everybody who asks at the same time in one transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from immuni.clock import Clock
from immuni.database import Pool
from immuni.database.grouping import Grouped
from immuni.portal.accounts.account import Account
from immuni.portal.limits import store
from immuni.portal.limits.rules import (
    LIMIT_OF_STOP,
    PACE_WINDOW,
    Limit,
    LimitReachedError,
    Scope,
    Warned,
    bounds_of,
    is_unusual_hour,
)
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.limits.store import Connection, DayLeft, Moment, Worker
from immuni.portal.limits.warning import Warnings

_QUOTA_OF: Final = {Scope.ACCOUNT: Limit.QUOTA, Scope.ORGANISATION: Limit.ORGANISATION_QUOTA}


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place in the quotas, taken before the code is sent."""

    account: Account
    moment: Moment


Outcome = Reservation | LimitReachedError


class Places:
    """Takes places; those of one moment are told apart one after the other."""

    def __init__(
        self, pool: Pool, clock: Clock, zone: ZoneInfo, settings: LimitSettings, warnings: Warnings
    ) -> None:
        """Keep what counting needs; `zone` decides which day and hour it is."""
        self._pool = pool
        self._clock = clock
        self._zone = zone
        self._settings = settings
        self._warnings = warnings
        self._take: Grouped[Account, Reservation] = Grouped(self._take_together)

    async def take(self, account: Account) -> Reservation:
        """Take a place in the quotas of an account and its organisation.

        Raises:
            LimitReachedError: There is none; nothing is counted.
        """
        return await self._take(account)

    def now(self) -> Moment:
        """Return the moment where the operators work."""
        at = self._clock.now()
        local = at.astimezone(self._zone)
        return Moment(at, local.date(), local.hour)

    async def _take_together(self, accounts: Sequence[Account]) -> Sequence[Outcome]:
        moment = self.now()
        if (outcomes := await self._try(accounts, moment)) is None:
            await self._begin_days(accounts, moment)
            outcomes = await self._try(accounts, moment)
        if outcomes is None:
            raise AssertionError("the row of a day was there a transaction ago")
        return outcomes

    async def _try(self, accounts: Sequence[Account], moment: Moment) -> Sequence[Outcome] | None:
        """Take the places; None where a day was not begun, and nothing was done."""
        workers = store.workers_of(*accounts)
        async with self._pool.connection() as connection:
            days = await store.lock_days(connection, workers, moment)
            if len(days) < len(workers):
                return None
            # Looked at behind the locks: a switch that was turned while others counted is seen.
            stops = await store.stops_of(connection, accounts)
            paced = await store.nth_last_authorisations(
                connection, accounts, self._settings.portal_pace, since=moment.at - PACE_WINDOW
            )
            outcomes: list[Outcome] = []
            for account in accounts:
                refusal = stopped(stops, account) or _too_fast(paced.get(account.id), moment)
                refusal = refusal or self._take_from(days, account, moment)
                outcomes.append(refusal or Reservation(account, moment))
            await store.count(connection, days, moment)
            await self._warn_of(connection, days, accounts, moment)
        return outcomes

    def _take_from(
        self, days: Mapping[Worker, DayLeft], account: Account, moment: Moment
    ) -> LimitReachedError | None:
        workers = store.workers_of(account)
        for worker in workers:
            if days[worker].is_full:
                return LimitReachedError(_QUOTA_OF[worker.scope], self._until_tomorrow(moment))
        for worker in workers:
            days[worker].taken += 1
        return None

    async def _begin_days(self, accounts: Sequence[Account], moment: Moment) -> None:
        """Begin the days of those who have none yet.

        In a transaction of its own: rows that were just inserted are locked out of order, and two
        groups would wait for each other.
        """
        async with self._pool.connection() as connection:
            for worker in store.workers_of(*accounts):
                history = await store.history_of(connection, worker, moment.day)
                bounds = bounds_of(history, worker.scope, self._settings)
                await store.begin_day(connection, worker, moment, bounds)

    async def _warn_of(
        self,
        connection: Connection,
        days: Mapping[Worker, DayLeft],
        accounts: Sequence[Account],
        moment: Moment,
    ) -> None:
        organisations = {
            worker: account.organisation_id
            for account in accounts
            for worker in store.workers_of(account)
        }
        warned: defaultdict[Worker, list[Warned]] = defaultdict(list)
        for worker, day in days.items():
            if day.passes_warning:
                warned[worker].append(Warned.MUCH)
            if day.begins_hour and worker.scope is Scope.ACCOUNT:
                history = await store.history_of(connection, worker, moment.day)
                if is_unusual_hour(history, moment.hour):
                    warned[worker].append(Warned.HOUR)
        for worker, kinds in warned.items():
            for kind in kinds:
                await self._warnings.warn(
                    connection,
                    kind,
                    worker,
                    organisation_id=organisations[worker],
                    moment=moment,
                    count=days[worker].count + days[worker].taken,
                )

    def _until_tomorrow(self, moment: Moment) -> timedelta:
        midnight = datetime.combine(moment.day + timedelta(days=1), time(), self._zone)
        return midnight - moment.at


def stopped(stops: store.Stops, account: Account) -> LimitReachedError | None:
    """Return which switch stops an account, the widest first; None where it may go on."""
    subjects = {
        Scope.EVERYTHING: None,
        Scope.ORGANISATION: account.organisation_id,
        Scope.ACCOUNT: account.id,
    }
    for scope, subject_id in subjects.items():
        if (scope, subject_id) in stops:
            return LimitReachedError(LIMIT_OF_STOP[scope])
    return None


def _too_fast(nth_last: datetime | None, moment: Moment) -> LimitReachedError | None:
    if nth_last is None:
        return None
    return LimitReachedError(Limit.PACE, nth_last + PACE_WINDOW - moment.at)
