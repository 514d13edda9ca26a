"""What the supervisor is told of, once a day and kind."""

from immuni.portal.limits import store
from immuni.portal.limits.metrics import LimitMetrics
from immuni.portal.limits.rules import Warned, busy_day
from immuni.portal.limits.store import Connection, Moment, Worker
from immuni.telemetry import logger

_log = logger("portal")


class Warnings:
    """Keeps warnings, counts them, and leaves a line in the log."""

    def __init__(self, metrics: LimitMetrics) -> None:
        """Count in `metrics`."""
        self._metrics = metrics

    async def warn(
        self,
        connection: Connection,
        kind: Warned,
        worker: Worker,
        *,
        organisation_id: int,
        moment: Moment,
        count: int,
    ) -> None:
        """Warn of somebody's day, if nobody was warned of the same today."""
        history = await store.history_of(connection, worker, moment.day)
        is_new = await store.warn(
            connection,
            kind,
            worker,
            organisation_id=organisation_id,
            moment=moment,
            count=count,
            busy=busy_day(history),
        )
        if is_new:
            self._metrics.count_warning(kind)
            _log.warning("unusual_authorisations", kind=kind, scope=worker.scope)
