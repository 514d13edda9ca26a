"""Waiting for others' code without losing a cancellation."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_Result = TypeVar("_Result")


async def heeding_cancellation(awaitable: Awaitable[_Result]) -> _Result:
    """Wait, and end with `asyncio.CancelledError` whenever this task was cancelled meanwhile.

    The `asyncio.wait_for` of Python 3.11, through which bumble waits for a controller, returns a
    result that arrives together with a cancellation, and forgets the cancellation: a task that
    nobody can end. A cancellation from before is none of ours: radios also fall silent in tasks
    that are being ended.

    Raises:
        asyncio.CancelledError: The task was cancelled; a result that came as well is dropped.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    result = await awaitable
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return result
