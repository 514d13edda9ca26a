"""The network of one phone, on real sockets."""

import asyncio

import pytest

from immuni.world.network import Network, open_network

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]


async def ask(network: Network) -> bytes:
    """Send a line to the server, and return what comes back: nothing where the line broke."""
    port = int(network.urls["echo"].rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"hello\n")
        return await reader.read(6)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_a_network_that_is_lost_carries_nothing_until_it_is_back() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(6))
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, open_network({"echo": url}) as network:
        assert await ask(network) == b"hello\n"

        network.switch(up=False)
        assert await ask(network) == b""

        network.switch(up=True)
        assert await ask(network) == b"hello\n"


async def test_what_is_under_way_breaks_off_when_the_network_is_lost() -> None:
    arrived = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(6)
        arrived.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, open_network({"echo": url}) as network:
        asking = asyncio.create_task(ask(network))
        await arrived.wait()

        network.switch(up=False)

        assert await asking == b""
