import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.ble import (
    ADVERTISEMENT_LENGTH,
    BroadcastPayload,
    MalformedPayloadError,
    build_advertisement,
    parse_advertisement,
    parse_service_data,
    service_data_of,
)
from immuni.crypto import AEM, RPI

RPI_BYTES = bytes.fromhex("8be6cd371c5c89160426bdcb7a8d1d1f")
AEM_BYTES = bytes.fromhex("72034ad1")
FLAGS = bytes.fromhex("02011a")
UUIDS = bytes.fromhex("03036ffd")
SERVICE_DATA = bytes.fromhex("17166ffd") + RPI_BYTES + AEM_BYTES
NAME = bytes.fromhex("0409") + b"Bob"
BATTERY_SERVICE_DATA = bytes.fromhex("04160f1864")

payloads = st.builds(
    BroadcastPayload,
    st.binary(min_size=16, max_size=16).map(RPI),
    st.binary(min_size=4, max_size=4).map(AEM),
)


def test_the_bytes_are_those_of_the_specification() -> None:
    payload = BroadcastPayload(RPI(RPI_BYTES), AEM(AEM_BYTES))

    assert build_advertisement(payload) == FLAGS + UUIDS + SERVICE_DATA
    assert len(build_advertisement(payload)) == ADVERTISEMENT_LENGTH


@given(payloads)
def test_what_is_built_is_parsed_back(payload: BroadcastPayload) -> None:
    assert parse_advertisement(build_advertisement(payload)) == payload


@pytest.mark.parametrize(
    "sections",
    [
        (UUIDS, SERVICE_DATA),
        (SERVICE_DATA, UUIDS, FLAGS),
        (NAME, SERVICE_DATA),
        (BATTERY_SERVICE_DATA, SERVICE_DATA),
        (SERVICE_DATA, b"\x00", b"padding"),
    ],
)
def test_sections_may_be_missing_or_in_any_order(sections: tuple[bytes, ...]) -> None:
    payload = parse_advertisement(b"".join(sections))

    assert payload == BroadcastPayload(RPI(RPI_BYTES), AEM(AEM_BYTES))


@pytest.mark.parametrize("data", [b"", FLAGS + UUIDS, NAME, BATTERY_SERVICE_DATA, b"\x00"])
def test_advertisements_of_others_carry_no_service_data(data: bytes) -> None:
    assert service_data_of(data) is None
    with pytest.raises(MalformedPayloadError):
        parse_advertisement(data)


@pytest.mark.parametrize("aem", [b"", b"abc", b"abcde"])
def test_a_payload_with_an_odd_aem_is_kept(aem: bytes) -> None:
    assert parse_service_data(RPI_BYTES + aem) == BroadcastPayload(RPI(RPI_BYTES), AEM(aem))


def test_service_data_shorter_than_an_identifier_is_refused() -> None:
    with pytest.raises(MalformedPayloadError, match="16 bytes, got 15"):
        parse_service_data(RPI_BYTES[:15])


@pytest.mark.parametrize("length", range(1, 24))
def test_a_section_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(MalformedPayloadError):
        parse_advertisement(SERVICE_DATA[:length])


def test_an_aem_of_the_wrong_length_is_not_broadcast() -> None:
    with pytest.raises(MalformedPayloadError, match="4 bytes, got 3"):
        build_advertisement(BroadcastPayload(RPI(RPI_BYTES), AEM(b"abc")))


@given(st.binary(max_size=64))
def test_any_bytes_give_a_payload_or_the_typed_error(data: bytes) -> None:
    try:
        payload = parse_advertisement(data)
    except MalformedPayloadError:
        return
    assert payload.rpi + payload.aem in data


@given(payloads)
def test_a_payload_does_not_show_its_identifier(payload: BroadcastPayload) -> None:
    assert repr(payload) == "BroadcastPayload()"
