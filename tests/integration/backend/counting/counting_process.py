"""A process that counts: flushes many times, counts on, and waits for its end.

    python -m tests.integration.backend.counting.counting_process DATABASE_URL FLUSHES

A line is printed when all flushes are stored.
"""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Final

from immuni.backend.counting import Counted, DailyCounters
from immuni.database import open_pool

NOW: Final = datetime(2020, 6, 20, 12, tzinfo=UTC)


async def count(url: str, flushes: int) -> None:
    """Count each of them once for each flush, every process beginning with another one."""
    counters, names = DailyCounters(), list(Counted)
    async with open_pool(url, max_size=1) as pool:
        for number in range(flushes):
            for name in names if number % 2 else reversed(names):
                counters.count(name, NOW)
            await counters.flush(pool)
        counters.count(Counted.AUTHORISED, NOW)
        sys.stdout.write("flushed\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(count(sys.argv[1], int(sys.argv[2])))
