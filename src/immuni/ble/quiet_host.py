"""The host side of HCI, without bumble's log of every packet."""

import logging

from bumble import hci
from bumble.host import Host
from bumble.transport.common import TransportSink, TransportSource


class QuietHost(Host):
    """A bumble host that formats no packet.

    Bumble writes every packet, with the identifiers in it, into its debug log, and formats it even
    where that log is off, which takes four fifths of the time that a command takes.

    Privacy:
        No identifier or address reaches a log, whatever its level.
    """

    def __init__(self, source: TransportSource, sink: TransportSink) -> None:
        """Connect to a controller, and silence bumble: faults become errors of ours."""
        logging.getLogger("bumble").setLevel(logging.CRITICAL)
        super().__init__(source, sink)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Hand a packet to the controller."""
        if self.hci_sink:
            self.hci_sink.on_packet(bytes(packet))

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Take an event from the controller; a radio of ours asks for nothing else."""
        if isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)

    def on_hci_event(self, event: hci.HCI_Event) -> None:
        """Pass over an event that nobody waits for."""
