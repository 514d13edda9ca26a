from pathlib import Path

import pytest

from immuni.device.rfkill import is_bluetooth_on


def add_switch(
    folder: Path, name: str, *, kind: str, soft: str = "0", hard: str = "0", of: str = "hci0"
) -> None:
    """Make a switch as the kernel shows it."""
    switch = folder / name
    switch.mkdir()
    values = {"type": kind, "soft": soft, "hard": hard, "name": of}
    for attribute, value in values.items():
        (switch / attribute).write_text(value + "\n")


def test_bluetooth_is_on_where_its_switch_is(tmp_path: Path) -> None:
    add_switch(tmp_path, "rfkill0", kind="bluetooth")

    assert is_bluetooth_on(tmp_path)


@pytest.mark.parametrize(("soft", "hard"), [("1", "0"), ("0", "1"), ("1", "1")])
def test_a_switch_of_the_user_or_of_the_case_turns_it_off(
    soft: str, hard: str, tmp_path: Path
) -> None:
    add_switch(tmp_path, "rfkill0", kind="bluetooth", soft=soft, hard=hard)

    assert not is_bluetooth_on(tmp_path)


def test_other_radios_do_not_count(tmp_path: Path) -> None:
    add_switch(tmp_path, "rfkill0", kind="wlan", soft="1")

    assert is_bluetooth_on(tmp_path)


def test_one_radio_that_is_on_is_enough(tmp_path: Path) -> None:
    add_switch(tmp_path, "rfkill0", kind="bluetooth", soft="1")
    add_switch(tmp_path, "rfkill1", kind="bluetooth")

    assert is_bluetooth_on(tmp_path)


def test_the_switch_of_another_adapter_does_not_count(tmp_path: Path) -> None:
    add_switch(tmp_path, "rfkill0", kind="bluetooth", of="hci0")
    add_switch(tmp_path, "rfkill1", kind="bluetooth", of="hci1", soft="1")

    assert is_bluetooth_on(tmp_path, adapter="hci0")
    assert not is_bluetooth_on(tmp_path, adapter="hci1")


def test_an_adapter_that_its_laptop_took_off_the_bus_is_off(tmp_path: Path) -> None:
    add_switch(tmp_path, "rfkill0", kind="bluetooth", of="tpacpi_bluetooth_sw", soft="1")

    assert not is_bluetooth_on(tmp_path, adapter="hci0")


def test_where_nothing_has_a_switch_bluetooth_is_on(tmp_path: Path) -> None:
    assert is_bluetooth_on(tmp_path)
    assert is_bluetooth_on(tmp_path / "missing")


def test_a_switch_that_is_just_being_removed_is_none(tmp_path: Path) -> None:
    (tmp_path / "rfkill0").mkdir()

    assert is_bluetooth_on(tmp_path)
