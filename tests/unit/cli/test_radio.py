"""What ``immuni radio check`` advises where no adapter works."""

import json

import pytest

from immuni import ble
from immuni.ble import (
    Adapter,
    RadioBusyError,
    RadioError,
    RadioLostError,
    RadioNotPermittedError,
    RadioSwitchedOffError,
    UnsuitableRadioError,
)
from immuni.cli.radio import _ADVICE, _print_refusal


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (RadioNotPermittedError("may not be opened"), "sudo"),
        (RadioBusyError("is busy"), "systemctl stop bluetooth"),
        (RadioSwitchedOffError("is off"), "rfkill unblock bluetooth"),
        (RadioLostError("does not answer"), "put it back"),
        (UnsuitableRadioError("cannot be opened"), "Is it there?"),
    ],
)
def test_each_reason_has_its_advice(
    fault: RadioError, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _print_refusal([fault], [], json=False)

    told = capsys.readouterr()
    assert str(fault) in told.err
    assert advice in told.out


def test_a_machine_without_an_adapter_is_told_what_to_plug_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _print_refusal([], [], json=False)

    told = capsys.readouterr()
    assert "no Bluetooth adapter was found" in told.err
    assert "USB dongle that knows Bluetooth 5" in told.out
    assert "serial:/dev/ttyACM0" in told.out


def test_two_ways_that_fail_alike_get_the_advice_once(capsys: pytest.CaptureFixture[str]) -> None:
    adapters = [Adapter("hci-socket:0", "hci0"), Adapter("usb:1-1", "USB")]

    _print_refusal([RadioBusyError("one"), RadioBusyError("other")], adapters, json=True)

    answer = json.loads(capsys.readouterr().out)
    assert answer["reason"] == "one; other"
    assert len(answer["advice"]) == len(set(answer["advice"])) == 2
    assert answer["adapters"][1] == {"name": "usb:1-1", "description": "USB"}


def test_the_errors_with_advice_exist() -> None:
    assert all(issubclass(getattr(ble, name), RadioError) for name in _ADVICE)
