"""Finding adapters in what the kernel tells: here in folders that are laid out alike."""

from pathlib import Path

from immuni.ble import Adapter, find_adapters

BLUETOOTH = {"Class": "e0", "SubClass": "01", "Protocol": "01"}
COMPOSITE = {"Class": "ef", "SubClass": "02", "Protocol": "01"}
KEYBOARD = {"Class": "03", "SubClass": "01", "Protocol": "01"}


def describe(folder: Path, texts: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(f"{text}\n")


def usb_device(sys: Path, name: str, kind: dict[str, str], **texts: str) -> Path:
    device = sys / "bus/usb/devices" / name
    ids = {"idVendor": "0a12", "idProduct": "0001"}
    describe(device, {**{f"bDevice{part}": value for part, value in kind.items()}, **ids, **texts})
    return device


def usb_interface(device: Path, number: str, kind: dict[str, str]) -> None:
    texts = {f"bInterface{part}": value for part, value in kind.items()}
    describe(device / f"{device.name}:{number}", texts)


def test_a_machine_without_any_has_none(tmp_path: Path) -> None:
    assert find_adapters(tmp_path) == []


def test_adapters_of_the_kernel_are_found_and_connections_are_not(tmp_path: Path) -> None:
    for name in ("hci1", "hci0", "hci0:12"):
        (tmp_path / "class/bluetooth" / name).mkdir(parents=True)

    assert find_adapters(tmp_path) == [
        Adapter("hci-socket:0", "hci0, by way of the kernel"),
        Adapter("hci-socket:1", "hci1, by way of the kernel"),
    ]


def test_usb_devices_of_the_bluetooth_class_are_found_by_their_port(tmp_path: Path) -> None:
    usb_device(tmp_path, "1-2", KEYBOARD)
    usb_device(tmp_path, "1-1.4", BLUETOOTH, manufacturer="Makers", product="Dongle 5")

    assert find_adapters(tmp_path) == [Adapter("usb:1-1.4", "USB, Makers Dongle 5 (0a12:0001)")]


def test_usb_devices_with_an_interface_of_the_bluetooth_class_are_found(tmp_path: Path) -> None:
    with_bluetooth = usb_device(tmp_path, "2-1", COMPOSITE)
    usb_interface(with_bluetooth, "1.0", KEYBOARD)
    usb_interface(with_bluetooth, "1.1", BLUETOOTH)
    usb_interface(usb_device(tmp_path, "2-2", COMPOSITE), "1.0", KEYBOARD)

    assert find_adapters(tmp_path) == [Adapter("usb:2-1", "USB, 0a12:0001")]


def test_the_way_through_the_kernel_comes_first(tmp_path: Path) -> None:
    usb_device(tmp_path, "1-1", BLUETOOTH)
    (tmp_path / "class/bluetooth/hci0").mkdir(parents=True)

    assert [each.name for each in find_adapters(tmp_path)] == ["hci-socket:0", "usb:1-1"]
