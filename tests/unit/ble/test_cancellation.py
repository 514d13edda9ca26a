import asyncio

import pytest

from immuni.ble.cancellation import heeding_cancellation

pytestmark = pytest.mark.anyio


async def cancelled_together_with_a_result(*, heeding: bool) -> "asyncio.Task[str]":
    """Cancel a task at the very moment at which what it waits for arrives."""
    arriving: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def wait() -> str:
        waiting = _swallowing(arriving)
        return await (heeding_cancellation(waiting) if heeding else waiting)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    arriving.set_result("arrived")
    task.cancel()
    await asyncio.wait([task])
    return task


async def _swallowing(arriving: "asyncio.Future[str]") -> str:
    """Wait as Python 3.11's `wait_for` does, on every Python."""
    try:
        return await arriving
    except asyncio.CancelledError:
        return await arriving


async def test_a_cancellation_that_others_forget_is_heeded() -> None:
    assert not (await cancelled_together_with_a_result(heeding=False)).cancelled()
    assert (await cancelled_together_with_a_result(heeding=True)).cancelled()


async def test_a_task_that_is_being_ended_can_still_wait() -> None:
    async def tidy_up() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return await heeding_cancellation(asyncio.sleep(0, "tidied"))
        return "never cancelled"

    task = asyncio.create_task(tidy_up())
    await asyncio.sleep(0)
    task.cancel()

    assert await task == "tidied"
