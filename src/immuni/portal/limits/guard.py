"""Before a code is sent: may this operator, this organisation, anybody authorise now?"""

from typing import Final

from prometheus_client import CollectorRegistry

from immuni.portal.accounts.account import Account
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.limits import store
from immuni.portal.limits.metrics import LimitMetrics
from immuni.portal.limits.places import Places, Reservation, stopped
from immuni.portal.limits.rules import Limit, LimitReachedError, Warned
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.limits.store import Moment
from immuni.portal.limits.warning import Warnings

_WARNING_OF: Final = {
    Limit.QUOTA: Warned.QUOTA,
    Limit.ORGANISATION_QUOTA: Warned.QUOTA,
    Limit.PACE: Warned.PACE,
}


class Guard:
    """Stops, quotas and pace, and the warnings that come before them."""

    def __init__(self, desk: Desk, settings: LimitSettings, registry: CollectorRegistry) -> None:
        """Keep what counting needs."""
        self._desk = desk
        self._metrics = LimitMetrics(registry)
        self._warnings = Warnings(self._metrics)
        self._places = Places(
            desk.pool, desk.clock, desk.settings.portal_time_zone, settings, self._warnings
        )

    async def stop_of(self, account: Account) -> Limit | None:
        """Return which switch stops an account, the widest first; None where it may go on."""
        async with self._desk.pool.connection() as connection:
            stop = stopped(await store.stops_of(connection, [account]), account)
        return stop.limit if stop else None

    async def reserve(self, account: Account) -> Reservation:
        """Take a place in the quotas of an account and its organisation.

        The place is taken before the code is sent, so that many requests at the same instant do
        not slip through together. A crash afterwards leaves it taken: the count is one too high.

        Raises:
            LimitReachedError: There is none; nothing is counted.
        """
        try:
            return await self._places.take(account)
        except LimitReachedError as error:
            self._metrics.count_refusal(error.limit)
            await self._tell_of_limit(account, error.limit, self._places.now())
            raise

    async def release(self, reservation: Reservation) -> None:
        """Give a place back, because the code was not authorised."""
        async with self._desk.pool.connection() as connection:
            for worker in store.workers_of(reservation.account):
                await store.take_back(connection, worker, reservation.moment)

    async def _tell_of_limit(self, account: Account, limit: Limit, moment: Moment) -> None:
        """Keep in the trail that a code was not sent, and warn of what is not a switch."""
        async with self._desk.pool.connection() as connection:
            if kind := _WARNING_OF.get(limit):
                worker = store.workers_of(account)[limit is Limit.ORGANISATION_QUOTA]
                await self._warnings.warn(
                    connection,
                    kind,
                    worker,
                    organisation_id=account.organisation_id,
                    moment=moment,
                    count=0,
                )
            event = Event(
                at=moment.at,
                action=Action.AUTHORISATION,
                outcome=Outcome.REFUSED,
                account_id=account.id,
                detail={"limit": limit},
            )
            await self._desk.trail.append(connection, event)
