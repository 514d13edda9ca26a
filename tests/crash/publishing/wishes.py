"""What the crash tests ask of the process that runs publishers, and what it answers.

A line of wishes comes for publishers that run at once, and a line goes back that tells how each
ended. In between a publisher may have halted: it says so with a line, and waits for one.
"""

from datetime import datetime
from typing import Final

import msgspec

HALTED: Final = b"halted\n"
GO_ON: Final = b"go on\n"


class Trouble(msgspec.Struct, frozen=True):
    """Which accesses to the chunk store fail, counted from 1 within a run.

    Attributes:
        first: The first one that does.
        last: The last one that does.
    """

    first: int
    last: int


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one publisher.

    Attributes:
        now: What its clock says.
        moment: The moment to die at, before, within or after an effect; 0 for never.
        halts: It does not die at the moment: it stands still until it is told to go on.
        seconds: It is killed after so long; never, where that is not said.
        trouble: What fails of the chunk store.
        file_bytes: No file may become larger; a write beyond it leaves half of what was written.
    """

    now: datetime
    moment: int = 0
    halts: bool = False
    seconds: float | None = None
    trouble: Trouble | None = None
    file_bytes: int | None = None


class Order(msgspec.Struct, frozen=True):
    """Publishers that are to run at once.

    Attributes:
        database: The URLs of the database, by their names.
        folder: Where the key and the chunks are.
        wishes: One for each publisher.
    """

    database: dict[str, str]
    folder: str
    wishes: tuple[Wish, ...]


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a publisher ended.

    Attributes:
        code: 0; 1 with an error; -9 when it was killed.
        error: The kind of the error, or all of it where it is none that a publisher may end with.
        moments: How many there were to die at; not told by one that died.
        accesses: How many accesses to the chunk store there were.
        lasted: How many seconds it took, from the fork to its end.
    """

    code: int
    error: str = ""
    moments: int = 0
    accesses: int = 0
    lasted: float = 0.0
