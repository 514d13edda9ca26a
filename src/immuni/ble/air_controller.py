"""A Bluetooth controller whose antenna is virtual air."""

import asyncio
from datetime import timedelta
from typing import Final, Protocol

from bumble import hci, ll
from bumble.controller import AdvertisingSet, Controller
from bumble.link import LocalLink

from immuni.ble.quiet_host import QuietHost

_UNIT: Final = timedelta(microseconds=625)
_NONCONN_IND: Final = (
    hci.HCI_LE_Set_Extended_Advertising_Parameters_Command.AdvertisingProperties
).USE_LEGACY_ADVERTISING_PDUS
_REPORT: Final = hci.HCI_LE_Extended_Advertising_Report_Event
_Parameters = hci.HCI_LE_Set_Extended_Advertising_Parameters_Command
_ParametersAnswer = hci.HCI_LE_Set_Extended_Advertising_Parameters_ReturnParameters


class AirAdvertisingSet(AdvertisingSet):
    """An advertising set without a timer: the air says when its moments come."""

    def start(self) -> None:
        """Begin; the first PDU follows at once."""
        self.enabled = True

    def stop(self) -> None:
        """End."""
        self.enabled = False

    @property
    def interval(self) -> timedelta:
        """Time from one advertising event to the next."""
        if self.parameters is None:
            raise ValueError("the advertising set has no parameters yet")
        return self.parameters.primary_advertising_interval_min * _UNIT

    def advertise(self) -> None:
        """Send one PDU, if enabled."""
        if self.enabled and self.address is not None:
            pdu = ll.AdvNonConnInd(advertiser_address=self.address, data=bytes(self.data))
            self.controller.send_advertising_pdu(pdu)


class AirController(Controller):
    """Bumble's virtual controller with transmit power, received strength and honest PDU types.

    After every command it advertises at once, as a real one may happen to: an order of commands
    that could send an old identifier from a new address does so here.
    """

    def __init__(self, name: str, link: LocalLink, *, tx_power_dbm: int) -> None:
        """Attach a controller to `link`.

        Args:
            name: By which the air knows where it is.
            link: The air's.
            tx_power_dbm: What it transmits with, whatever the host prefers.
        """
        super().__init__(name, link=link)
        self.tx_power_dbm = tx_power_dbm

    def unplug(self) -> None:
        """End as an adapter does that is pulled out: silent at once, and its host is told."""
        for each in self.enabled_sets():
            each.stop()
        self.le_scan_enable = False
        if not self.terminated.done():
            self.terminated.set_result(None)
        if isinstance(self.host, QuietHost):
            self.host.on_transport_lost()

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Execute a command, and advertise at the worst moment."""
        if isinstance(packet, hci.HCI_Command):
            self.on_hci_command_packet(packet)
            self.advertise()

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        """Hand an event to the host, without formatting it for a log."""
        if self.host:
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    def send_advertising_pdu(self, packet: ll.AdvertisingPdu) -> None:
        """Put a PDU on the air."""
        self.link.send_advertising_pdu(self, packet)

    def on_hci_reset_command(
        self, _command: hci.HCI_Reset_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Forget every set and every scan, as the specification wants: bumble's would go on."""
        self.advertising_sets.clear()
        self.le_scan_enable = False
        return super().on_hci_reset_command(_command)

    def on_hci_le_set_extended_advertising_parameters_command(
        self, command: _Parameters
    ) -> _ParametersAnswer:
        """Take the parameters of a set, and choose its power."""
        if command.advertising_event_properties != _NONCONN_IND:
            refusal = hci.HCI_ErrorCode.UNSUPPORTED_FEATURE_OR_PARAMETER_VALUE_ERROR
            return _ParametersAnswer(status=refusal, selected_tx_power=0)
        handle = command.advertising_handle
        self.advertising_sets.setdefault(handle, AirAdvertisingSet(self, handle))
        answer = super().on_hci_le_set_extended_advertising_parameters_command(command)
        answer.selected_tx_power = self.tx_power_dbm
        return answer

    def on_hci_le_set_advertising_set_random_address_command(
        self, command: hci.HCI_LE_Set_Advertising_Set_Random_Address_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Give a set its address, if there is such a set: bumble's would make one."""
        if command.advertising_handle not in self.advertising_sets:
            refusal = hci.HCI_ErrorCode.UNKNOWN_ADVERTISING_IDENTIFIER_ERROR
            return hci.HCI_StatusReturnParameters(refusal)
        return super().on_hci_le_set_advertising_set_random_address_command(command)

    def enabled_sets(self) -> list[AirAdvertisingSet]:
        """Return the sets that advertise at present."""
        sets = self.advertising_sets.values()
        return [each for each in sets if isinstance(each, AirAdvertisingSet) and each.enabled]

    def advertise(self) -> None:
        """Let every enabled set send one PDU."""
        for each in self.enabled_sets():
            each.advertise()

    def receive(self, pdu: ll.AdvNonConnInd, rssi_dbm: int) -> None:
        """Report a PDU to the host, if it scans."""
        if not self.le_scan_enable:
            return
        report = _REPORT.Report(
            event_type=_REPORT.EventType.LEGACY_ADVERTISING_PDU_USED,
            address_type=pdu.advertiser_address.address_type,
            address=pdu.advertiser_address,
            primary_phy=hci.Phy.LE_1M,
            secondary_phy=0,
            advertising_sid=_REPORT.NO_ADI_FIELD_PROVIDED,
            tx_power=_REPORT.TX_POWER_INFORMATION_NOT_AVAILABLE,
            rssi=rssi_dbm,
            periodic_advertising_interval=0,
            direct_address_type=hci.Address.PUBLIC_DEVICE_ADDRESS,
            direct_address=hci.Address.ANY,
            data=pdu.data,
        )
        self.send_hci_packet(_REPORT([report]))


class Medium(Protocol):
    """What carries PDUs from one controller to the others."""

    def carry(self, sender: AirController, pdu: ll.AdvNonConnInd) -> None:
        """Deliver `pdu` to whoever is near enough."""
        ...


class AirLink(LocalLink):
    """Bumble's link between controllers, with a medium in between."""

    def __init__(self, medium: Medium) -> None:
        """Begin without any controller."""
        super().__init__()  # type: ignore[no-untyped-call] # bumble left this one untyped
        self._medium = medium

    def send_advertising_pdu(
        self, sender_controller: Controller, packet: ll.AdvertisingPdu
    ) -> None:
        """Hand a PDU to the medium, which knows distances; other kinds do not occur here."""
        if isinstance(sender_controller, AirController) and isinstance(packet, ll.AdvNonConnInd):
            self._medium.carry(sender_controller, packet)
