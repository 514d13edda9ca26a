from pathlib import Path

import pytest

from immuni.app.system import (
    AndroidSystem,
    IosSystem,
    LinuxSystem,
    System,
    SystemFault,
    this_linux,
    version_of,
)


@pytest.mark.parametrize(
    ("system", "faults"),
    [
        (IosSystem((13, 5)), ()),
        (IosSystem((13, 4, 1)), (SystemFault.IOS_TOO_OLD,)),
        (AndroidSystem((6,), (20, 18, 13)), ()),
        (AndroidSystem((5, 1), (20, 18, 12)), tuple(SystemFault)[1:3]),
        (AndroidSystem((10,), (20, 18)), (SystemFault.PLAY_SERVICES_TOO_OLD,)),
        (LinuxSystem((3, 13), has_adapter=True), ()),
        (LinuxSystem((3, 12, 9), has_adapter=False), tuple(SystemFault)[3:]),
    ],
)
def test_each_system_has_its_least_version(system: System, faults: tuple[SystemFault, ...]) -> None:
    assert system.faults() == faults


def test_a_version_ends_where_its_numbers_end() -> None:
    assert version_of("6.1.0-18-amd64") == (6, 1, 0)
    with pytest.raises(ValueError, match="does not begin with a version"):
        version_of("unknown")


def test_an_adapter_that_is_plugged_in_is_seen(tmp_path: Path) -> None:
    assert this_linux(tmp_path).faults() == (SystemFault.NO_ADAPTER,)

    (tmp_path / "class/bluetooth/hci0").mkdir(parents=True)

    assert this_linux(tmp_path).faults() == ()
