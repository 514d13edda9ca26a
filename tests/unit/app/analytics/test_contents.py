from datetime import date

import pytest
from msgspec.structs import replace

from immuni.api import AppleOperationalInfo, ProvinceCode, encode, parse_request
from immuni.app.analytics.contents import NO_EXPOSURE_ON, dummy_info, genuine_info
from immuni.app.record import AppRecord
from immuni.app.state import AtRisk, Neutral, Positive, UserState
from immuni.entropy import SeededEntropy
from immuni.framework import InactiveReason, Status
from tests.unit.app.analytics.drawn import NOON

CONTACT = date(2020, 6, 9)
RECORD = AppRecord(province=ProvinceCode("CH"), user=AtRisk(CONTACT))


def status(*reasons: InactiveReason) -> Status:
    return Status(reasons=frozenset(reasons), key_storage="nowhere")


def told(
    record: AppRecord = RECORD, *reasons: InactiveReason, with_exposure: bool = True
) -> AppleOperationalInfo:
    info = genuine_info(record, status(*reasons), with_exposure=with_exposure, build=7)
    assert info is not None
    return info


def test_a_report_with_exposure_tells_the_day_of_the_last_contact() -> None:
    assert told() == AppleOperationalInfo(
        province="CH",
        exposure_permission=1,
        bluetooth_active=1,
        notification_permission=1,
        exposure_notification=1,
        last_risky_exposure_on=CONTACT,
        build=7,
    )


@pytest.mark.parametrize("user", [Neutral(), AtRisk(CONTACT), Positive(CONTACT)])
def test_a_report_without_exposure_is_the_same_whoever_sends_it(user: UserState) -> None:
    info = told(replace(RECORD, user=user), with_exposure=False)

    assert (info.exposure_notification, info.last_risky_exposure_on) == (0, NO_EXPOSURE_ON)
    assert info == told(replace(RECORD, user=Neutral()), with_exposure=False)


@pytest.mark.parametrize(
    ("reason", "flags"),
    [
        (InactiveReason.PERMISSION_MISSING, (0, 1)),
        (InactiveReason.NOT_STARTED, (0, 1)),
        (InactiveReason.BLUETOOTH_OFF, (1, 0)),
        (InactiveReason.RADIO_LOST, (1, 0)),
        (InactiveReason.PAUSED, (1, 1)),
    ],
)
def test_flags_tell_what_is_not_permitted_or_off(
    reason: InactiveReason, flags: tuple[int, int]
) -> None:
    info = told(RECORD, reason)

    assert (info.exposure_permission, info.bluetooth_active) == flags


def test_a_phone_without_a_province_has_nothing_to_tell() -> None:
    assert genuine_info(AppRecord(), status(), with_exposure=False, build=7) is None


def test_dummies_are_well_formed_all_different_and_of_the_size_of_genuine_reports() -> None:
    entropy = SeededEntropy("dummies")
    dummies = [dummy_info(entropy, now=NOON, build=7) for _ in range(100)]

    assert [parse_request(AppleOperationalInfo, encode(each)) for each in dummies] == dummies
    assert len({encode(each) for each in dummies}) > 90
    sizes = {len(encode(each)) for each in (*dummies, told(), told(with_exposure=False))}
    assert len(sizes) == 1
