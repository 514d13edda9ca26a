"""Which value a phone gets, and which sets may be published."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.api import Platform
from immuni.backend.configuration.rules import SettingEntry, resolve, set_faults

IOS, ANDROID = Platform.IOS, Platform.ANDROID


def entry(build: int, value: object = 1, *, withdrawn: bool = False) -> SettingEntry:
    return SettingEntry(IOS, "minimum_build_version", build, value, withdrawn)


@pytest.mark.parametrize(
    ("build", "expected"), [(1, 1), (9, 1), (10, 2), (19, 2), (20, None), (29, None), (30, 3)]
)
def test_the_highest_starting_build_up_to_the_phones_wins(build: int, expected: int | None) -> None:
    entries = [entry(30, 3), entry(20, withdrawn=True), entry(1, 1), entry(10, 2)]

    settings = resolve(entries, platform=IOS, build=build)

    assert settings.get("minimum_build_version") == expected
    assert len(settings) == (0 if expected is None else 1)


def test_platforms_do_not_mix() -> None:
    assert resolve([entry(1)], platform=ANDROID, build=1) == {}


def test_null_is_a_value_and_not_a_withdrawal() -> None:
    entries = [SettingEntry(IOS, "support_email", 1, None)]

    assert resolve(entries, platform=IOS, build=1) == {"support_email": None}


@given(st.permutations([entry(1, 1), entry(5, 2), entry(9, 3), entry(12, withdrawn=True)]))
def test_the_order_of_entries_does_not_matter(entries: list[SettingEntry]) -> None:
    assert resolve(entries, platform=IOS, build=10) == {"minimum_build_version": 3}


def test_a_good_set_has_no_faults() -> None:
    assert set_faults([entry(1), entry(2, withdrawn=True)]) == []


@pytest.mark.parametrize(
    "entries",
    [
        [entry(1, 0)],
        [entry(0)],
        [entry(20_001)],
        [entry(1), entry(1, 2)],
        [SettingEntry(IOS, "misspelt", 1, 1)],
        [SettingEntry(IOS, "support_phone", 1, "15\000")],
        [SettingEntry(IOS, "advice", 1, {"it": {"neutral": "all\0good"}})],
        [SettingEntry(IOS, "active_regions", 1, ["Lazio", "Mol\0ise"])],
    ],
)
def test_a_bad_set_has_its_fault_named(entries: list[SettingEntry]) -> None:
    faults = set_faults(entries)

    assert len(faults) == 1
    assert entries[0].name in faults[0]
