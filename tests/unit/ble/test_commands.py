from immuni.ble import LONGEST_UNATTENDED
from immuni.ble.commands import advertising_enable


def test_an_adapter_that_nobody_attends_to_falls_silent_by_itself() -> None:
    # 10 ms is the unit of the command, 16 bits its width.
    assert advertising_enable(on=True).durations == [LONGEST_UNATTENDED.total_seconds() * 100]
    assert LONGEST_UNATTENDED.total_seconds() * 100 < 2**16
