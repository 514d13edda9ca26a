"""Adapters behind a real transport, in real time."""

import errno
from datetime import timedelta

import pytest
from bumble import hci

from immuni.ble import (
    BroadcastPayload,
    RadioBusyError,
    RadioError,
    RadioLostError,
    RadioNotPermittedError,
    RadioSwitchedOffError,
    UnsuitableRadioError,
    open_adapter,
)
from immuni.ble.adapter import _refusal
from immuni.clock import SystemClock
from immuni.crypto import AEM, RPI
from tests.integration.ble.adapters import Adapters, until

pytestmark = pytest.mark.anyio

PAYLOAD = BroadcastPayload(RPI(b"R" * 16), AEM(b"meta"))
ADDRESS = bytes.fromhex("010203040506")


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


async def test_an_adapter_without_advertising_sets_is_refused_and_given_back(
    adapters: Adapters,
) -> None:
    controller = await adapters.plug_in("old")
    controller.le_features &= ~hci.LeFeatureMask.LE_EXTENDED_ADVERTISING

    with pytest.raises(UnsuitableRadioError, match="advertising sets"):
        await open_adapter(adapters.address("old"), SystemClock())

    await until(lambda: not adapters.port("old").open_connections)


async def test_an_adapter_that_is_lost_in_the_middle_says_so(adapters: Adapters) -> None:
    await adapters.plug_in("one")
    radio = await open_adapter(adapters.address("one"), SystemClock())
    await radio.start_broadcast(PAYLOAD, ADDRESS)
    assert radio.broadcasting

    adapters.unplug("one")
    await until(lambda: not radio.broadcasting)

    for use in (radio.open(), radio.stop_broadcast(), radio.scan(timedelta(0))):
        with pytest.raises(RadioLostError):
            await use
    await radio.close()


async def test_an_adapter_that_refuses_to_stop_is_reset_when_it_is_given_back(
    adapters: Adapters,
) -> None:
    dongle = await adapters.plug_in("one")
    radio = await open_adapter(adapters.address("one"), SystemClock())
    await radio.start_broadcast(PAYLOAD, ADDRESS)
    dongle.refuses_to_stop = True

    with pytest.raises(RadioError, match="refused"):
        await radio.stop_broadcast()
    assert dongle.advertises
    await radio.close()

    assert not dongle.advertises


@pytest.mark.parametrize("name", ["nonsense", "nonsense:0", "unix:/nowhere/at/all", "usb", "file"])
async def test_an_adapter_that_is_not_there_is_a_typed_error(name: str) -> None:
    with pytest.raises(UnsuitableRadioError, match="cannot open the adapter"):
        await open_adapter(name, SystemClock())


class LibusbError(Exception):
    """An error as the USB library raises it: with a number and no text."""

    def __init__(self, value: int) -> None:
        super().__init__()
        self.value = value


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(errno.EACCES, "no"), RadioNotPermittedError),
        (OSError(errno.EPERM, "no"), RadioNotPermittedError),
        (OSError(errno.EBUSY, "busy"), RadioBusyError),
        (OSError(errno.ERFKILL, "off"), RadioSwitchedOffError),
        (LibusbError(-3), RadioNotPermittedError),
        (LibusbError(-6), RadioBusyError),
        (LibusbError(-99), UnsuitableRadioError),
        (OSError("serial ports give no number"), UnsuitableRadioError),
    ],
)
def test_why_an_adapter_cannot_be_opened_is_told_apart(
    error: Exception, kind: type[UnsuitableRadioError]
) -> None:
    refusal = _refusal("usb:0", error)

    assert type(refusal) is kind
    assert not str(refusal).endswith(": ")
