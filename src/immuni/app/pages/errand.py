"""Something that is asked of a server while the user waits, over a network that may be bad."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

_SOON: Final = timedelta(seconds=1)
_LONG: Final = timedelta(seconds=8)


class ErrandKind(StrEnum):
    """What is asked."""

    CHECK = "check"
    SEND = "send"


@dataclass(slots=True)
class Errand:
    """One errand, which goes on whatever the browser does meanwhile.

    Attributes:
        kind: What is asked.
        since: When it began.
    """

    kind: ErrandKind
    since: datetime
    _task: asyncio.Task[str] = field(repr=False)

    @classmethod
    def begin(cls, kind: ErrandKind, run: Callable[[], Awaitable[str]], now: datetime) -> "Errand":
        """Begin `run`, which returns the path of the page that follows."""

        async def outcome() -> str:
            return await run()

        return cls(kind, now, asyncio.create_task(outcome()))

    async def be_patient(self) -> None:
        """Wait for a moment, which often is enough."""
        await asyncio.wait({self._task}, timeout=_SOON.total_seconds())

    @property
    def is_done(self) -> bool:
        """Whether there is an outcome."""
        return self._task.done()

    def outcome(self) -> str:
        """Return the path of the page that follows."""
        return self._task.result()

    def is_long(self, now: datetime) -> bool:
        """Tell whether it takes longer than one is used to."""
        return now - self.since >= _LONG

    async def give_up(self) -> None:
        """Stop asking."""
        self._task.cancel()
        await asyncio.wait({self._task})
