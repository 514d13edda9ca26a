import pytest

from immuni.ble import UnsuitableRadioError, require_adapter_name


@pytest.mark.parametrize(
    "name",
    [
        "hci-socket:0",
        "usb:0",
        "usb:0a12:0001",
        "usb:1-1.2",
        "serial:/dev/ttyACM0,115200",
        "tcp-client:127.0.0.1:6402",
        "unix:/run/hci",
    ],
)
def test_a_name_has_a_kind_and_a_place(name: str) -> None:
    require_adapter_name(name)


@pytest.mark.parametrize(
    "name", ["", "hci", "nonsense", "usb", "usb:", "hci-socket:", "tcp-client:127.0.0.1", "serial:"]
)
def test_what_is_no_name_is_refused_with_what_is_wanted(name: str) -> None:
    with pytest.raises(UnsuitableRadioError, match="want hci-socket:0, usb:0"):
        require_adapter_name(name)


def test_the_name_that_most_people_type_is_answered_with_the_right_one() -> None:
    with pytest.raises(UnsuitableRadioError, match=r"did you mean hci-socket:1\?"):
        require_adapter_name("hci1")
