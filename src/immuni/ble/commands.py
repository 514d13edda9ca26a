"""The HCI commands that a radio needs: one advertising set with legacy PDUs, passive scans."""

from datetime import timedelta
from typing import Final

from bumble import hci

from immuni.ble.airtime import ADVERTISING_INTERVAL

LONGEST_UNATTENDED: Final = timedelta(seconds=655)
"""For so long an adapter broadcasts without being told again: nearly the most that HCI allows."""

_HANDLE: Final = 1
_UNIT: Final = timedelta(microseconds=625)
_DURATION_UNIT: Final = timedelta(milliseconds=10)
_SCAN_INTERVAL: Final = timedelta(milliseconds=100)
_ALL_CHANNELS: Final = 0b111


def advertising_parameters() -> hci.HCI_LE_Set_Extended_Advertising_Parameters_Command:
    """Set up the advertising set: ADV_NONCONN_IND every 250 ms, from a random address."""
    kind = hci.HCI_LE_Set_Extended_Advertising_Parameters_Command
    interval = ADVERTISING_INTERVAL // _UNIT
    return kind(
        advertising_handle=_HANDLE,
        # Legacy, and neither connectable nor scannable nor directed: ADV_NONCONN_IND.
        advertising_event_properties=kind.AdvertisingProperties.USE_LEGACY_ADVERTISING_PDUS,
        primary_advertising_interval_min=interval,
        primary_advertising_interval_max=interval,
        primary_advertising_channel_map=_ALL_CHANNELS,
        own_address_type=hci.OwnAddressType.RANDOM,
        peer_address_type=hci.Address.PUBLIC_DEVICE_ADDRESS,
        peer_address=hci.Address.ANY,
        advertising_filter_policy=0,
        advertising_tx_power=kind.TX_POWER_NO_PREFERENCE,
        primary_advertising_phy=hci.Phy.LE_1M,
        secondary_advertising_max_skip=0,
        secondary_advertising_phy=hci.Phy.LE_1M,
        advertising_sid=0,
        scan_request_notification_enable=0,
    )


def scan_parameters() -> hci.HCI_LE_Set_Extended_Scan_Parameters_Command:
    """Set up passive, uninterrupted scans of the three advertising channels."""
    kind = hci.HCI_LE_Set_Extended_Scan_Parameters_Command
    interval = _SCAN_INTERVAL // _UNIT
    return kind(
        # A passive scan sends nothing, so this address never shows. A random one would have to be
        # set for the whole controller first.
        own_address_type=hci.OwnAddressType.PUBLIC,
        scanning_filter_policy=kind.BASIC_UNFILTERED_POLICY,
        scanning_phys=1 << hci.HCI_LE_1M_PHY_BIT,
        scan_types=[kind.PASSIVE_SCANNING],
        scan_intervals=[interval],
        scan_windows=[interval],
    )


def set_address(address: bytes) -> hci.HCI_LE_Set_Advertising_Set_Random_Address_Command:
    """Give the advertising set the random address `address`, 6 bytes as on the air."""
    return hci.HCI_LE_Set_Advertising_Set_Random_Address_Command(
        advertising_handle=_HANDLE,
        random_address=hci.Address(address, hci.Address.RANDOM_DEVICE_ADDRESS),
    )


def advertising_data(data: bytes) -> hci.HCI_LE_Set_Extended_Advertising_Data_Command:
    """Give the advertising set its data."""
    kind = hci.HCI_LE_Set_Extended_Advertising_Data_Command
    return kind(
        advertising_handle=_HANDLE,
        operation=kind.Operation.COMPLETE_DATA,
        fragment_preference=(
            hci.HCI_LE_Set_Extended_Advertising_Parameters_Command.SHOULD_NOT_FRAGMENT
        ),
        advertising_data=data,
    )


def advertising_enable(*, on: bool) -> hci.HCI_LE_Set_Extended_Advertising_Enable_Command:
    """Start or stop the advertising set; the controller itself stops one that nobody renews.

    Privacy:
        A program that was killed, or a machine that sleeps, cannot change its identifier any more:
        the adapter must not go on with the old one for ever.
    """
    return hci.HCI_LE_Set_Extended_Advertising_Enable_Command(
        enable=int(on),
        advertising_handles=[_HANDLE],
        durations=[LONGEST_UNATTENDED // _DURATION_UNIT if on else 0],
        max_extended_advertising_events=[0],
    )


def scan_enable(*, on: bool) -> hci.HCI_LE_Set_Extended_Scan_Enable_Command:
    """Start or stop a scan that reports every PDU."""
    return hci.HCI_LE_Set_Extended_Scan_Enable_Command(
        enable=int(on), filter_duplicates=0, duration=0, period=0
    )
