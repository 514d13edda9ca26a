"""What a shaped request holds on to while it waits: nothing that was sent with it."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Scope

from immuni.backend.contract import HttpSettings, contract
from immuni.backend.shaping import Shaping, ShapingMetrics, ShapingSettings
from immuni.entropy import SeededEntropy
from immuni.web import BodyReader, Headers, Reply

pytestmark = pytest.mark.anyio

BODY_BYTES = 200_000


class Host:
    """A shaped endpoint, and a request to it whose body comes in as many parts as are wanted."""

    def __init__(self, *, dummy: bool, parts: int, ends: bool = True) -> None:
        self._lines = [(b"immuni-dummy-data", b"1" if dummy else b"0")]
        self._sizes = [BODY_BYTES // parts] * parts
        self._ends = ends
        self.begun = asyncio.Event()

    async def receive(self) -> Message:
        if not self._sizes:
            self.begun.set()
            await asyncio.Event().wait()
        body = bytes(self._sizes.pop())
        return {
            "type": "http.request",
            "body": body,
            "more_body": bool(self._sizes) or not self._ends,
        }

    async def answer(self, scope: Scope, headers: Headers, read: BodyReader) -> Reply:
        """Read the body, as an endpoint does."""
        del scope, headers
        assert len(await read()) == BODY_BYTES
        return Reply()

    async def wait(self) -> None:
        """Have the request answered, in far more time than the test takes."""
        shaping = Shaping(
            settings=ShapingSettings(response_floor=timedelta(hours=1)),
            contract=contract(HttpSettings()),
            entropy=SeededEntropy("waiting"),
            metrics=ShapingMetrics(CollectorRegistry()),
            gates=[lambda _source: self.begun.set()],
        )
        scope: Scope = {"type": "http", "headers": self._lines, "client": ("127.0.0.1", 1)}

        async def send(_message: Message) -> None:
            pytest.fail("it should wait")

        await shaping.layer()(self)(scope, self.receive, send)


@contextmanager
def allocations_traced() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("dummy", "parts", "ends"),
    [(True, 1, True), (True, 4, True), (True, 1, False), (False, 1, True), (False, 4, True)],
    ids=["dummy", "dummy in parts", "dummy that stalls", "genuine", "genuine in parts"],
)
async def test_a_waiting_request_holds_nothing_of_its_body(
    *, dummy: bool, parts: int, ends: bool
) -> None:
    host = Host(dummy=dummy, parts=parts, ends=ends)
    with allocations_traced():
        waiting = asyncio.create_task(host.wait())
        await host.begun.wait()
        # What was begun goes on until it waits.
        for _ in range(10):
            await asyncio.sleep(0)
        held, _ = tracemalloc.get_traced_memory()

    assert not waiting.done()
    waiting.cancel()
    assert held < BODY_BYTES / parts / 2
