"""The bytes that a phone broadcasts, and how they are found in what it hears."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from immuni.crypto import AEM, RPI
from immuni.errors import ImmuniError

SERVICE_UUID: Final = 0xFD6F
"""The 16-bit UUID of the Exposure Notification Service."""
RPI_LENGTH: Final = 16
AEM_LENGTH: Final = 4
ADVERTISEMENT_LENGTH: Final = 31

_UUID_BYTES: Final = struct.pack("<H", SERVICE_UUID)
_FLAGS: Final = bytes.fromhex("02011a")
_COMPLETE_UUIDS: Final = b"\x03\x03" + _UUID_BYTES
_SERVICE_DATA_TYPE: Final = 0x16
_SERVICE_DATA_HEADER: Final = b"\x17\x16" + _UUID_BYTES


class MalformedPayloadError(ImmuniError, ValueError):
    """Bytes are not what an exposure notification broadcast looks like; nothing was kept."""


@dataclass(frozen=True, slots=True)
class BroadcastPayload:
    """What one broadcast says.

    Attributes:
        rpi: 16 bytes.
        aem: 4 bytes when it is ours; what others send may be shorter or longer.

    Privacy:
        Hidden from `repr`: an identifier in a log would show who was near whom.
    """

    rpi: RPI = field(repr=False)
    aem: AEM = field(repr=False)

    def __post_init__(self) -> None:
        """Check the length of the identifier."""
        if len(self.rpi) != RPI_LENGTH:
            raise MalformedPayloadError(f"an RPI has {RPI_LENGTH} bytes, got {len(self.rpi)}")


def build_advertisement(payload: BroadcastPayload) -> bytes:
    """Return the advertising data that carries `payload`.

    Layout:
        ``0..2`` flags, ``3..6`` complete list of 16-bit UUIDs, ``7..10`` header of the service
        data, ``11..26`` RPI, ``27..30`` AEM.

    Raises:
        MalformedPayloadError: The AEM does not have 4 bytes.

    Source:
        Exposure Notification Bluetooth Specification v1.2, "Broadcasting Behavior".
    """
    if len(payload.aem) != AEM_LENGTH:
        raise MalformedPayloadError(f"an AEM has {AEM_LENGTH} bytes, got {len(payload.aem)}")
    return _FLAGS + _COMPLETE_UUIDS + _SERVICE_DATA_HEADER + payload.rpi + payload.aem


def parse_advertisement(data: bytes) -> BroadcastPayload:
    """Read the payload out of advertising data, whatever the order of its sections.

    Raises:
        MalformedPayloadError: A section is cut off, or none carries enough service data.
    """
    service_data = service_data_of(data)
    if service_data is None:
        raise MalformedPayloadError(f"no service data for {SERVICE_UUID:#06x}")
    return parse_service_data(service_data)


def parse_service_data(data: bytes) -> BroadcastPayload:
    """Split service data of the Exposure Notification Service into its two fields.

    Layout:
        ``0..15`` RPI, the rest AEM.

    Raises:
        MalformedPayloadError: `data` is shorter than an RPI.
    """
    # Whether the AEM can be used is decided at scoring: the sighting counts in any case.
    return BroadcastPayload(RPI(data[:RPI_LENGTH]), AEM(data[RPI_LENGTH:]))


def service_data_of(data: bytes) -> bytes | None:
    """Return the Exposure Notification service data in advertising data, None if there is none.

    Raises:
        MalformedPayloadError: A section is cut off.
    """
    for kind, content in _sections(data):
        if kind == _SERVICE_DATA_TYPE and content.startswith(_UUID_BYTES):
            return content[len(_UUID_BYTES) :]
    return None


def _sections(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and content of each section.

    Layout:
        ``0`` length of what follows, ``1`` type, then the content; a length of 0 ends the data.

    Source:
        Bluetooth Core Specification, Volume 3, Part C, 11 "Advertising and Scan Response Data".
    """
    at = 0
    while at < len(data) and (length := data[at]):
        section = data[at + 1 : at + 1 + length]
        if len(section) < length:
            raise MalformedPayloadError(f"a section of {length} bytes has only {len(section)}")
        yield section[0], section[1:]
        at += 1 + length
