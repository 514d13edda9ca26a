"""Adapters behind a real transport: bumble's own controllers, reached through sockets."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from bumble import hci
from bumble.controller import Controller
from bumble.link import LocalLink
from bumble.transport import open_transport

from immuni.ble import BroadcastPayload, UnsuitableRadioError, open_adapter
from immuni.clock import SystemClock
from immuni.crypto import AEM, RPI

pytestmark = pytest.mark.anyio

PAYLOAD = BroadcastPayload(RPI(b"R" * 16), AEM(b"meta"))
ADDRESS = bytes.fromhex("010203040506")


class Adapters:
    """Controllers on one link, each at the end of a socket."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._link = LocalLink()  # type: ignore[no-untyped-call] # bumble left this one untyped

    async def plug_in(self, name: str) -> Controller:
        path = self._folder / name
        transport = await open_transport(f"unix-server:{path}")
        self._stack.push_async_callback(transport.close)
        # Bumble leaves its listening socket open.
        self._stack.callback(getattr(transport, "server").close)  # noqa: B009 - not typed
        return Controller(
            name, host_source=transport.source, host_sink=transport.sink, link=self._link
        )

    def address(self, name: str) -> str:
        return f"unix:{self._folder / name}"


@pytest.fixture
async def adapters(tmp_path: Path) -> AsyncIterator[Adapters]:
    async with AsyncExitStack() as stack:
        yield Adapters(tmp_path, stack)


async def test_two_adapters_hear_each_other_in_real_time(adapters: Adapters) -> None:
    await adapters.plug_in("one")
    await adapters.plug_in("other")
    one = await open_adapter(adapters.address("one"), SystemClock())
    other = await open_adapter(adapters.address("other"), SystemClock())

    await one.start_broadcast(PAYLOAD, ADDRESS)
    heard = await other.scan(timedelta(milliseconds=600))

    # Bumble's controller repeats each of the two or three PDUs as a scan response.
    assert 2 <= len(heard) <= 3
    assert {each.service_data for each in heard} == {PAYLOAD.rpi + PAYLOAD.aem}
    assert {each.address for each in heard} == {ADDRESS}
    await one.close()
    await other.close()


async def test_an_adapter_without_advertising_sets_is_refused(adapters: Adapters) -> None:
    controller = await adapters.plug_in("old")
    controller.le_features &= ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

    with pytest.raises(UnsuitableRadioError, match="advertising sets"):
        await open_adapter(adapters.address("old"), SystemClock())


@pytest.mark.parametrize("name", ["nonsense", "nonsense:0", "unix:/nowhere/at/all"])
async def test_an_adapter_that_is_not_there_is_a_typed_error(name: str) -> None:
    with pytest.raises(UnsuitableRadioError, match="cannot open the adapter"):
        await open_adapter(name, SystemClock())
