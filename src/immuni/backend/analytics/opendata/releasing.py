"""Releasing the open data of a month: charged first, drawn once, kept, and handed out for ever.

A second draw of the same counts would let people average the noise away. So what was drawn is
stored, and what is handed out is only ever what was stored; and whatever goes wrong after the
charge, the month stays charged and is never drawn again.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final, Protocol

from immuni.api import Territory
from immuni.backend.analytics.opendata.cells import OpenData, cells_of
from immuni.backend.analytics.opendata.noise import Noise
from immuni.backend.analytics.opendata.store import (
    Charge,
    Connection,
    charge,
    charges,
    keep,
    last_counted,
    published,
    true_counts,
)
from immuni.backend.analytics.rules import first_of_month, month_before
from immuni.backend.connections import exclusive
from immuni.database import Pool
from immuni.errors import ImmuniError

# Any constant will do; it must differ from the other locks.
_LOCK: Final = 0x6F70656E64617461


class NotReleasableError(ImmuniError, ValueError):
    """The month cannot be released now; nothing was charged."""


class ReleaseLostError(ImmuniError, RuntimeError):
    """The month was charged, but its release ended before its result was kept: it never will be."""


class UnreleasedError(ImmuniError, LookupError):
    """Nothing was published of the month."""


class NoiseSource(Protocol):
    """Adds noise, and knows what that costs."""

    @property
    def epsilon(self) -> float:
        """What a release costs."""
        ...

    def add(self, counts: Sequence[int]) -> list[int]:
        """Return counts with noise."""
        ...


async def release(
    pool: Pool,
    month: date,
    *,
    epsilon: float,
    territory: Territory,
    today: date,
    noise_of: Callable[[float], NoiseSource] = Noise,
) -> OpenData:
    """Release a month, or return what was released of it.

    Args:
        pool: Connections of the service's role; not through a pooler of transactions.
        month: Its first day.
        epsilon: What it may cost; without meaning where it was released already.
        territory: Fixes the cells. What was reported from elsewhere is not published.
        today: In UTC.
        noise_of: Makes what draws.

    Raises:
        NotReleasableError: The month is not over or not counted to its end, its counts are deleted,
            or another release is under way.
        ReleaseLostError: It was charged before, and crashed.
    """
    async with exclusive(pool, _LOCK) as connection:
        if connection is None:
            raise NotReleasableError("another release is under way")
        charged = await _charge_of(connection, month)
        if charged is None:
            await _require_counted(connection, month, today)
            noise = noise_of(epsilon)
            counts = await true_counts(connection, month)
            cells = cells_of(territory)
            await charge(connection, month, noise.epsilon, today)
            drawn = noise.add([counts.get(cell, 0) for cell in cells])
            await keep(connection, month, dict(zip(cells, drawn, strict=True)))
            charged = Charge(month, noise.epsilon, today, is_published=True)
        return await _published(connection, charged)


async def released(pool: Pool, month: date) -> OpenData:
    """Return what was published of a month.

    Raises:
        UnreleasedError: Nothing was.
        ReleaseLostError: Nothing was, and nothing ever will be.
    """
    async with pool.connection() as connection:
        charged = await _charge_of(connection, month)
        if charged is None:
            raise UnreleasedError(f"{month:%Y-%m} was not released")
        return await _published(connection, charged)


async def _published(connection: Connection, charged: Charge) -> OpenData:
    if not charged.is_published:
        raise ReleaseLostError(
            f"{charged.month:%Y-%m} was charged on {charged.charged_on}, but the release ended "
            "before its result was kept: it stays charged and is never released"
        )
    return await published(connection, charged)


async def _charge_of(connection: Connection, month: date) -> Charge | None:
    return next((each for each in await charges(connection) if each.month == month), None)


async def _require_counted(connection: Connection, month: date, today: date) -> None:
    """Make sure that the counts of a month are whole.

    They are kept until the end of the next month. Of one that is not counted to its end, or whose
    counts were deleted, zeros would be published that nobody counted.
    """
    if month != month_before(first_of_month(today)):
        raise NotReleasableError(
            f"{month:%Y-%m} cannot be released on {today}: only the month before can, for it is "
            "over and its counts are still kept"
        )
    last = await last_counted(connection)
    if last is None or last < first_of_month(today) - timedelta(days=1):
        raise NotReleasableError(f"{month:%Y-%m} is not counted to its end: the job did not run")
