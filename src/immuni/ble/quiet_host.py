"""The host side of HCI, without bumble's log of every packet."""

import logging
from typing import Any

from bumble import hci
from bumble.host import Host
from bumble.transport.common import TransportLostError, TransportSink, TransportSource


class QuietHost(Host):
    """A bumble host that formats no packet, and sends nothing into a transport that is lost.

    Bumble writes every packet, with the identifiers in it, into its debug log, and formats it even
    where that log is off, which takes four fifths of the time that a command takes.

    Privacy:
        No identifier or address reaches a log, whatever its level.
    """

    def __init__(self, source: TransportSource, sink: TransportSink) -> None:
        """Connect to a controller, and silence bumble: faults become errors of ours."""
        logging.getLogger("bumble").setLevel(logging.CRITICAL)
        super().__init__(source, sink)
        self._source = source

    @property
    def lost(self) -> bool:
        """Whether the way to the controller has ended."""
        return self._source.terminated.done()

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Hand a packet to the controller.

        Raises:
            TransportLostError: There is no way to it any more; most transports would swallow it.
        """
        if self.lost:
            raise TransportLostError("the transport has ended")
        if self.hci_sink:
            self.hci_sink.on_packet(bytes(packet))

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Take an event from the controller; a radio of ours asks for nothing else."""
        if isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)

    def on_hci_event(self, event: hci.HCI_Event) -> None:
        """Pass over an event that nobody waits for."""

    def on_command_processed(
        self, event: hci.HCI_Command_Complete_Event[Any] | hci.HCI_Command_Status_Event
    ) -> None:
        """Take the answer to the pending command, and pass over a late one to another."""
        pending = self.pending_command
        if pending is None or pending.op_code == event.command_opcode:
            super().on_command_processed(event)

    def on_transport_lost(self) -> None:
        """Let the command that waits for its answer fail, if there is one."""
        # An answer that came with the last bytes stands; bumble's own would trip over it.
        if self.pending_response is not None and not self.pending_response.done():
            self.pending_response.set_exception(TransportLostError("the transport has ended"))
