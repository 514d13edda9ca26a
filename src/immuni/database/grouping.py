"""Work that is done for everybody who waits for it at once: one transaction in place of many.

A transaction costs the same exchanges with the database and the same write to the disk whether it
stores one item or fifty. So what comes while a group is at work is the next group, and where an
answer has to wait anyway, the first of a group waits a moment for others.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final, Generic, TypeVar, cast

from psycopg import OperationalError

from immuni.errors import ImmuniError

T = TypeVar("T")
R = TypeVar("R")

PATIENCE: Final = timedelta(milliseconds=5)
"""How long a request waits for others to share a transaction with; a part of the time that its
answer has to wait out anyway."""
GroupWork = Callable[[Sequence[T]], Awaitable[Sequence[R | ImmuniError]]]
"""Does the work of a group, all or nothing; returns for each item its result, or its refusal."""


class Grouped(Generic[T, R]):
    """Hands single items to work that is done in groups."""

    def __init__(
        self,
        work: GroupWork[T, R],
        *,
        patience: timedelta = timedelta(0),
        max_size: int = 64,
        max_groups: int = 2,
    ) -> None:
        """Gather for `work`.

        Args:
            work: Does the work of a group.
            patience: How long the first of a group waits for others.
            max_size: Items of a group at most.
            max_groups: Groups that are at work at once at most. Where one waits, as for the lock of
                a row, the others go on.
        """
        self._work = work
        self._patience = patience.total_seconds()
        self._max_size = max_size
        self._max_groups = max_groups
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._groups: set[asyncio.Task[None]] = set()
        self._gathers = False

    async def __call__(self, item: T) -> R:
        """Return the item's own result, however its group was made up.

        Raises:
            ImmuniError: The item was refused, or its whole group.
            OperationalError: The database failed the whole group. It is not tried again: where the
                connection was lost while committing, nobody knows what was done.
            Exception: Whatever the work raises for the item alone.
        """
        outcome: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        if not self._gathers and len(self._groups) < self._max_groups:
            self._gathers = True
            self._groups.add(asyncio.create_task(self._work_on()))
        try:
            return await outcome
        finally:
            # A refusal's traceback holds this frame: with the outcome in it, which holds the
            # refusal, everything that the request brought would stay until that circle is found.
            del outcome

    async def _work_on(self) -> None:
        """Wait for others, then take groups until nobody waits."""
        try:
            await self._gather()
            while self._waiting:
                await self._take()
        finally:
            # In the same turn in which nobody was found waiting: whoever comes next begins anew.
            self._groups.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _gather(self) -> None:
        try:
            await asyncio.sleep(self._patience)
        except asyncio.CancelledError:
            # Where the loop ends in the middle, nobody waits for ever.
            self._cancel(self._waiting)
            self._waiting.clear()
            raise
        finally:
            self._gathers = False

    async def _take(self) -> None:
        size = min(self._max_size, len(self._waiting))
        group = [self._waiting.popleft() for _ in range(size)]
        try:
            await self._serve(group)
        finally:
            self._cancel(group)  # Whoever was not answered, because the loop ends.

    def _cancel(self, items: Iterable[tuple[T, asyncio.Future[R]]]) -> None:
        for _, outcome in items:
            outcome.cancel()

    async def _serve(self, group: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            results = await self._work([item for item, _ in group])
        except (ImmuniError, OperationalError) as error:
            _settle(group, [error] * len(group))
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            if len(group) == 1:
                _settle(group, [error])
                return
            # One item may be what the others stumbled over: each is worked on by itself.
            for each in group:
                await self._serve([each])
        else:
            _settle(group, results)


def _settle(group: Sequence[tuple[T, asyncio.Future[R]]], results: Sequence[R | Exception]) -> None:
    for (_, outcome), result in zip(group, results, strict=True):
        if outcome.done():
            continue  # Whoever waited went away.
        if isinstance(result, Exception):
            outcome.set_exception(result)
        else:
            outcome.set_result(result)
