"""Equal answers: one size, one distribution of times, for genuine requests and for dummies.

An observer of the encrypted traffic must not tell whether an upload was genuine, nor whether a code
was right. So every answer of a shaped endpoint has the same number of bytes and leaves at the
arrival of the body's last byte plus a floor plus an exponential draw, whatever was done meanwhile.

Source:
    Traffic analysis mitigation, "Equal sizes", "Equal times".
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from prometheus_client import CollectorRegistry, Counter
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from immuni.api import MalformedRequestError
from immuni.api.headers import DUMMY_DATA, PADDING, parse_dummy_flag
from immuni.entropy import Entropy
from immuni.settings import duration, setting
from immuni.web import (
    ENDPOINT_KEY,
    NO_STORE,
    Answering,
    Contract,
    Headers,
    Layer,
    Reply,
    ReplyHeader,
    RetryLaterError,
    ShellError,
    read_body,
    source_of,
)

Gate = Callable[[str], None]
"""Given the source's address, raises a `RetryLaterError` when it must wait; asked for dummies too,
so that an overload or a limit shows on both alike."""

ANSWER_BYTES: Final = 512
"""Status line, headers of ours and body of every shaped answer, together."""
PADDED: Final = ReplyHeader(
    name=PADDING,
    description="Fills every answer up to one size, so that sizes tell nothing.",
    pattern="0*",
    example="0" * 32,
)
_PADDING_NAME: Final = PADDING.lower().encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapingSettings:
    """When shaped answers leave."""

    response_floor: timedelta = setting(
        duration("10ms", "10s"),
        default=timedelta(milliseconds=150),
        meaning="Least time from a body's last byte to the answer; real work must fit into it.",
    )
    response_mean: timedelta = setting(
        duration("1ms", "10s"),
        default=timedelta(milliseconds=50),
        meaning="Mean of the exponential time added to the floor.",
    )


class ShapingMetrics:
    """Counts the answers whose work took longer than their time."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the counter in `registry`."""
        self._overruns = Counter(
            "immuni_response_overrun",
            "Shaped answers whose work was not done in time; raise response_floor.",
            ("endpoint",),
            registry=registry,
        )

    def count_overrun(self, endpoint: str) -> None:
        """Count one."""
        self._overruns.labels(endpoint).inc()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaping:
    """Everything that shaping an endpoint needs.

    Attributes:
        settings: When answers leave.
        contract: Tells refusals, and limits bodies.
        entropy: Draws the delays.
        metrics: Counts overruns.
        gates: Asked before a request is looked at, genuine or dummy.
    """

    settings: ShapingSettings
    contract: Contract
    entropy: Entropy
    metrics: ShapingMetrics
    gates: Sequence[Gate] = ()

    def layer(self) -> Layer:
        """Return what wraps an endpoint."""
        return lambda endpoint: _ShapedApp(endpoint, self)


@dataclass(frozen=True, slots=True)
class Departure:
    """When an answer leaves.

    Attributes:
        at: The moment, in seconds of the clock that arrival was told in.
        multiple: How many floors after the arrival; more than 1 means that the work was late.
    """

    at: float
    multiple: int


def departure(*, arrival: float, done: float, floor: float, draw: Callable[[], float]) -> Departure:
    """Return the first of an answer's possible moments that its work allows.

    Work that is late waits for the next multiple of the floor and a fresh draw. Leaving as soon as
    it is done would show how long it took.

    Args:
        arrival: When the body's last byte was read, in seconds of any clock.
        done: When the work was done.
        floor: Least time to the answer, more than 0.
        draw: Draws what is added to it.
    """
    multiple = 1
    while (at := arrival + multiple * floor + draw()) < done:
        multiple += 1
    return Departure(at, multiple)


def padded(start: Message, body: bytes) -> Message:
    """Return the start of an answer, filled up so that the whole has `ANSWER_BYTES`."""
    status = HTTPStatus(start["status"])
    size = len(f"HTTP/1.1 {status.value} {status.phrase}\r\n\r\n") + len(body)
    size += sum(len(name) + len(value) + 4 for name, value in start["headers"])
    missing = ANSWER_BYTES - size - len(_PADDING_NAME) - 4
    if missing < 0:
        raise ValueError(f"a shaped answer has at most {ANSWER_BYTES} bytes, needs {-missing} more")
    return {**start, "headers": [*start["headers"], (_PADDING_NAME, b"0" * missing)]}


def _shaped(reply: Reply) -> tuple[Message, Message]:
    """Return the messages that send a reply; nearly all are the same, and need no counting."""
    if reply == _DONE:
        return {**_DONE_START}, _DONE_BODY
    start, content = reply.messages(cache_control=NO_STORE)
    return padded(start, reply.body), content


_DONE: Final = Reply(HTTPStatus.NO_CONTENT)
_DONE_START: Final = padded(_DONE.messages(cache_control=NO_STORE)[0], b"")
_DONE_BODY: Final = _DONE.messages(cache_control=NO_STORE)[1]


class _ShapedApp:
    """One endpoint, behind its shaping."""

    def __init__(self, endpoint: Answering, shaping: Shaping) -> None:
        self._endpoint = endpoint
        self._shaping = shaping
        self._floor = shaping.settings.response_floor.total_seconds()
        self._mean = shaping.settings.response_mean.total_seconds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        headers = Headers(scope["headers"])
        is_dummy = _is_dummy(headers)
        limits = self._shaping.contract.limits
        try:
            body = await read_body(scope, headers, receive, limits, keep=not is_dummy)
            arrival = loop.time()
            reply = await self._reply(scope, headers, body, is_dummy=is_dummy)
            del body  # Thousands wait at once, for longer than their work took.
        except ClientDisconnect:
            return
        except ShellError as error:
            arrival = loop.time()
            reply = self._shaping.contract.refusal(error)
        leaves = departure(arrival=arrival, done=loop.time(), floor=self._floor, draw=self._draw)
        if leaves.multiple > 1:
            self._shaping.metrics.count_overrun(scope.get(ENDPOINT_KEY, ""))
        messages = _shaped(reply)
        # A timer and nothing else: no thread, no connection of the database.
        await asyncio.sleep(leaves.at - loop.time())
        for message in messages:
            await send(message)

    async def _reply(self, scope: Scope, headers: Headers, body: bytes, *, is_dummy: bool) -> Reply:
        """Return the answer to a request whose body has arrived."""
        try:
            for gate in self._shaping.gates:
                gate(source_of(scope))
        except RetryLaterError as error:
            return self._shaping.contract.refusal(error)
        if is_dummy:
            return _DONE

        async def read() -> bytes:
            return body

        return await self._endpoint.answer(scope, headers, read)

    def _draw(self) -> float:
        return self._shaping.entropy.exponential(self._mean)


def _is_dummy(headers: Headers) -> bool:
    """Tell whether the request is a dummy; one that does not say so properly is refused later."""
    try:
        return parse_dummy_flag(headers.one(DUMMY_DATA))
    except (MalformedRequestError, ShellError):
        return False
