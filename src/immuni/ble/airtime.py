"""How long a broadcast occupies the air."""

from datetime import timedelta
from typing import Final

from immuni.ble.advertisement import ADVERTISEMENT_LENGTH

ADVERTISING_INTERVAL: Final = timedelta(milliseconds=250)
ADVERTISING_CHANNELS: Final = 3

# Every advertising event comes by 0 to 10 ms later than the interval says, at random.
_MEAN_DELAY: Final = timedelta(milliseconds=5)
_BIT: Final = timedelta(microseconds=1)
_PREAMBLE_BITS: Final = 8
_ACCESS_ADDRESS_BITS: Final = 32
_HEADER_BITS: Final = 16
_ADDRESS_BYTES: Final = 6
_CRC_BITS: Final = 24


def pdu_time(data_length: int) -> timedelta:
    """Return how long one legacy advertising PDU takes on one channel, at 1 Mbit/s.

    Args:
        data_length: Bytes of advertising data, 0..31.

    Source:
        Bluetooth Core Specification, Volume 6, Part B, 2.1 "Packet format for the LE Uncoded PHYs"
        and 2.3.1.3 "ADV_NONCONN_IND".
    """
    payload_bits = 8 * (_ADDRESS_BYTES + data_length)
    bits = _PREAMBLE_BITS + _ACCESS_ADDRESS_BITS + _HEADER_BITS + payload_bits + _CRC_BITS
    return bits * _BIT


def on_air_time(
    broadcast_time: timedelta,
    *,
    data_length: int = ADVERTISEMENT_LENGTH,
    interval: timedelta = ADVERTISING_INTERVAL,
) -> timedelta:
    """Return for how much of `broadcast_time` the transmitter is on.

    Args:
        broadcast_time: How long something was broadcast.
        data_length: Bytes of advertising data.
        interval: From one advertising event to the next, without its random delay.

    Source:
        Bluetooth Core Specification, Volume 6, Part B, 4.4.2.2 "Advertising events".
    """
    events = broadcast_time / (interval + _MEAN_DELAY)
    return events * ADVERTISING_CHANNELS * pdu_time(data_length)
