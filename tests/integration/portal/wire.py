"""A wire between portal and OTP Service that can be cut at the worst moment."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wire:
    """Carries the bytes of TCP connections to a port, as long as it is whole."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._loses_answer = False
        self._writers: set[StreamWriter] = set()
        self.is_whole = True
        self.port = 0
        self.connections = 0

    def lose_next_answer(self) -> None:
        """Deliver the next request on a standing connection, and cut it instead of answering."""
        self._loses_answer = True

    def cut(self) -> None:
        """Cut all connections, and accept no new one."""
        self.is_whole = False
        for writer in self._writers:
            writer.close()

    async def carry(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Carry one connection both ways until an end closes it."""
        if not self.is_whole:
            writer.close()
            return
        self.connections += 1
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers |= {writer, there_writer}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._forward(reader, there_writer, answers=False))
                both.create_task(self._forward(there_reader, writer, answers=True))
        finally:
            self._writers -= {writer, there_writer}

    async def _forward(self, reader: StreamReader, writer: StreamWriter, *, answers: bool) -> None:
        try:
            while part := await reader.read(65536):
                if answers and self._loses_answer:
                    self._loses_answer = False
                    break
                writer.write(part)
                await writer.drain()
        except ConnectionError:
            pass  # The other end went first.
        finally:
            writer.close()


@asynccontextmanager
async def wire_to(port: int) -> AsyncIterator[Wire]:
    """Lay a wire to `port` for as long as the block runs."""
    wire = Wire(port)
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.port = server.sockets[0].getsockname()[1]
    async with server:
        yield wire
        wire.cut()
