import asyncio

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from immuni.web import OneWriteHttpProtocol, Reply, send_reply
from immuni.web.bodies import WHOLE_BODY_KEY

pytestmark = pytest.mark.anyio


class Line(asyncio.Transport):
    """A connection that only notes whether it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.is_read = True

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self) -> None:
        self.is_read = True

    def is_closing(self) -> bool:
        return False

    def write(self, _data: bytes | bytearray | memoryview) -> None:
        pass

    def close(self) -> None:
        pass


class Host:
    """An application that takes no body before it is told to."""

    def __init__(self) -> None:
        self.scope: Scope = {}
        self.may_take = asyncio.Event()
        self.taken: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        await self.may_take.wait()
        message = await receive()
        self.taken.set_result(len(message["body"]))
        await send_reply(Reply(), send)


async def test_a_body_as_long_as_allowed_comes_in_one_go_and_a_longer_one_stops_its_line() -> None:
    host, line = Host(), Line()
    protocol = protocol_between(line, host)

    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    for _ in range(4):
        protocol.data_received(bytes(64 * 1024))
    assert line.is_read

    protocol.data_received(b"x")
    assert not line.is_read

    host.may_take.set()
    assert await host.taken == 256 * 1024 + 1
    assert line.is_read
    protocol.connection_lost(None)


@pytest.mark.parametrize(("body", "is_whole"), [(b"12345678", True), (b"1234567", False)])
async def test_a_body_that_came_with_its_headers_is_told_to_be_whole(
    body: bytes, *, is_whole: bool
) -> None:
    host = Host()
    protocol = protocol_between(Line(), host)

    protocol.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n" + body)
    host.may_take.set()

    assert await host.taken == len(body)
    assert host.scope.get(WHOLE_BODY_KEY, False) is is_whole
    protocol.connection_lost(None)


def protocol_between(line: Line, host: Host) -> OneWriteHttpProtocol:
    """Let requests on a line come to an application."""
    config = uvicorn.Config(host, log_config=None, access_log=False, ws="none")
    config.load()
    protocol = OneWriteHttpProtocol(config, ServerState(), {})
    protocol.connection_made(line)
    return protocol
