"""The network between one phone and the servers, which can be lost."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

LOOPBACK: Final = "127.0.0.1"
_PIECE_BYTES: Final = 64 * 1024


class Network:
    """Hands on the bytes of one phone, unless it is out of reach.

    Attributes:
        urls: Where the phone reaches each server, by the server's name.
    """

    def __init__(self) -> None:
        """Be in reach of nobody yet; use `open_network`."""
        self.urls: Mapping[str, str] = {}
        self._is_up = True
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def is_up(self) -> bool:
        """Whether bytes pass."""
        return self._is_up

    def switch(self, *, up: bool) -> None:
        """Be in reach or out of it; what is under way when it is lost, breaks off."""
        self._is_up = up
        if not up:
            self._break_off()

    def _break_off(self) -> None:
        for writer in self._open:
            # The transport knows how to end at once; closing would deliver the rest first.
            writer.transport.abort()

    async def _connect(self, url: str) -> asyncio.Server:
        address = urlsplit(url)

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._is_up:
                await self._carry(reader, writer, address.hostname or "", address.port or 80)
            writer.transport.abort()

        return await asyncio.start_server(carry, LOOPBACK, 0)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        try:
            from_server, to_server = await asyncio.open_connection(host, port)
        except OSError:
            return
        ends = {writer, to_server}
        self._open |= ends
        try:
            await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))
        finally:
            self._open -= ends
            to_server.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def open_network(servers: Mapping[str, str]) -> AsyncIterator[Network]:
    """Lay lines to servers, on loopback, for as long as the context lasts.

    Args:
        servers: Their base URLs over plain HTTP, by name.
    """
    network = Network()
    async with AsyncExitStack() as stack:
        urls = {}
        for name, url in servers.items():
            server = await network._connect(url)  # noqa: SLF001 - the same capability
            stack.callback(server.close)
            urls[name] = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        network.urls = urls
        try:
            yield network
        finally:
            network.switch(up=False)
