"""Adapters behind a real transport: bumble's own controllers, each at the end of a TCP socket."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from bumble import hci, ll
from bumble.controller import Controller
from bumble.link import LocalLink
from bumble.transport.common import StreamPacketSink, StreamPacketSource


@dataclass(frozen=True)
class Pdu:
    """One advertising PDU on the link."""

    sender: str
    address: bytes
    data: bytes


class RecordingLink(LocalLink):
    """A link on which every PDU is read."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # bumble left this one untyped
        self.pdus: list[Pdu] = []

    def send_advertising_pdu(
        self, sender_controller: Controller, packet: ll.AdvertisingPdu
    ) -> None:
        assert isinstance(packet, ll.AdvExtInd)
        pdu = Pdu(sender_controller.name, bytes(packet.advertiser_address), bytes(packet.data))
        self.pdus.append(pdu)
        super().send_advertising_pdu(sender_controller, packet)


class Dongle(Controller):
    """A controller that forgets everything when it is reset, as the specification wants.

    Attributes:
        refuses_to_stop: It goes on advertising whatever it is told, but for a reset.
    """

    refuses_to_stop = False

    def on_hci_le_set_extended_advertising_enable_command(
        self, command: hci.HCI_LE_Set_Extended_Advertising_Enable_Command
    ) -> hci.HCI_StatusReturnParameters:
        if self.refuses_to_stop and not command.enable:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        return super().on_hci_le_set_extended_advertising_enable_command(command)

    def on_hci_reset_command(
        self, _command: hci.HCI_Reset_Command
    ) -> hci.HCI_StatusReturnParameters:
        self.fall_silent()
        self.advertising_sets.clear()
        self.le_scan_enable = False
        return super().on_hci_reset_command(_command)

    @property
    def advertises(self) -> bool:
        return any(each.enabled for each in self.advertising_sets.values())

    def fall_silent(self) -> None:
        for each in self.advertising_sets.values():
            each.stop()


@dataclass
class Port:
    """Where an adapter is plugged in, or was.

    Attributes:
        number: Of the TCP port.
        connections: Every one that was ever made.
    """

    number: int = 0
    dongle: Dongle | None = None
    server: asyncio.Server | None = None
    connections: list[asyncio.Transport] = field(default_factory=list)

    @property
    def open_connections(self) -> int:
        return sum(not each.is_closing() for each in self.connections)


class Line(StreamPacketSource):
    """One connection from a host to the adapter in a port."""

    def __init__(self, port: Port) -> None:
        super().__init__()
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        assert self._port.dongle is not None
        self._port.connections.append(transport)
        self.set_packet_sink(self._port.dongle)
        self._port.dongle.host = StreamPacketSink(transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._port.dongle is not None and not self._port.open_connections:
            self._port.dongle.host = None


class Adapters:
    """The adapters of a machine."""

    def __init__(self) -> None:
        self.link = RecordingLink()
        self._ports: dict[str, Port] = {}

    def port(self, name: str) -> Port:
        return self._ports[name]

    def address(self, name: str) -> str:
        return f"tcp-client:127.0.0.1:{self._ports[name].number}"

    async def plug_in(self, name: str) -> Dongle:
        """Put an adapter into its port, for the first time or again."""
        port = self._ports.setdefault(name, Port())
        listening = socket.create_server(("127.0.0.1", port.number))
        port.number = listening.getsockname()[1]
        if port.dongle is None:
            port.dongle = Dongle(name, link=self.link)
        loop = asyncio.get_running_loop()
        port.server = await loop.create_server(lambda: Line(port), sock=listening)
        return port.dongle

    def cut(self, name: str) -> None:
        """Cut the line to an adapter, which keeps its power and goes on with what it does."""
        port = self._ports[name]
        if port.server is not None:
            port.server.close()
            port.server = None
        for connection in port.connections:
            connection.close()

    def unplug(self, name: str) -> None:
        """Pull an adapter out: without power it is silent, and forgets."""
        self.cut(name)
        port = self._ports[name]
        assert port.dongle is not None
        port.dongle.fall_silent()
        self.link.remove_controller(port.dongle)
        port.dongle = None

    def close(self) -> None:
        for name, port in self._ports.items():
            self.cut(name)
            if port.dongle is not None:
                port.dongle.fall_silent()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop go on until something holds."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0)
