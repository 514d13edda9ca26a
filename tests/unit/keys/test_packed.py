"""Keys in columns."""

from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.keys import (
    MAX_INTERVAL,
    DiagnosisKey,
    ENIntervalNumber,
    InvalidKeyError,
    PackedKeys,
    ReportType,
    TemporaryExposureKey,
)

diagnosis_keys = st.builds(
    DiagnosisKey,
    st.builds(
        TemporaryExposureKey,
        st.binary(min_size=16, max_size=16),
        st.integers(0, MAX_INTERVAL - 144).map(ENIntervalNumber),
        st.integers(1, 144),
    ),
    st.integers(0, 8),
    st.sampled_from(ReportType),
    st.none() | st.integers(-(2**31), 2**31 - 1),
)
WHOLE = DiagnosisKey(TemporaryExposureKey(b"ABCDEFGHIJKLMNOP", ENIntervalNumber(2_649_888)))
SHORT = DiagnosisKey(TemporaryExposureKey(bytes(16), ENIntervalNumber(0), 7), 8, ReportType(5), -3)


def columns(**changes: object) -> Any:  # noqa: ANN401 - any of them may be wrong
    """Return the columns of two keys, some of them changed."""
    packed = PackedKeys([WHOLE, SHORT])
    return {name: getattr(packed, name) for name in PackedKeys.__slots__} | changes


@given(st.lists(diagnosis_keys), st.data())
def test_packed_keys_behave_like_the_tuple_of_the_same_keys(
    keys: list[DiagnosisKey], data: st.DataObject
) -> None:
    packed = PackedKeys(keys)
    cut = data.draw(st.slices(len(keys)))

    assert packed == tuple(keys)
    assert tuple(packed[cut]) == tuple(keys)[cut]
    assert hash(packed) == hash(tuple(keys))


@given(st.lists(st.lists(diagnosis_keys, max_size=3), max_size=3))
def test_joining_packed_keys_is_packing_joined_keys(parts: list[list[DiagnosisKey]]) -> None:
    everything = [key for part in parts for key in part]

    assert PackedKeys.joined(map(PackedKeys, parts)) == everything
    assert PackedKeys.joined(parts) == everything


def test_packed_keys_are_a_sequence_of_values() -> None:
    keys = (WHOLE, SHORT)
    packed = PackedKeys(keys)

    assert packed == keys
    assert keys == packed
    assert packed != keys[:1]
    assert packed != 2
    assert packed != ("no key", "no key")
    assert packed[-1] == SHORT
    assert WHOLE in packed
    with pytest.raises(IndexError):
        packed[2]


def test_columns_are_taken_over_as_they_are() -> None:
    assert PackedKeys.from_columns(**columns()) == (WHOLE, SHORT)
    assert len(PackedKeys.from_columns(**columns()).key_data) == 32


@pytest.mark.parametrize("onset", [None, -(2**31), 2**31 - 1])
@pytest.mark.parametrize("period", [1, 144])
def test_the_columns_of_any_keys_are_taken_over(period: int, onset: int | None) -> None:
    last = ENIntervalNumber(MAX_INTERVAL - period)
    tek = TemporaryExposureKey(bytes(16), last, period)
    key = DiagnosisKey(tek, days_since_onset_of_symptoms=onset)
    packed = PackedKeys([key, SHORT])
    of_both = {name: getattr(packed, name) for name in PackedKeys.__slots__}

    assert PackedKeys.from_columns(**of_both) == (key, SHORT)


@pytest.mark.parametrize(
    "change",
    [
        {"key_data": bytes(31)},
        {"rolling_starts": array("I", [0])},
        {"rolling_periods": b"\x01"},
        {"rolling_periods": b"\x01\x00"},
        {"rolling_periods": b"\x91\x01"},
        {"rolling_starts": array("I", [MAX_INTERVAL - 143, 0])},
        {"rolling_starts": array("I", [0, MAX_INTERVAL - 6])},
        {"transmission_risk_levels": b"\x00\x09"},
        {"transmission_risk_levels": b""},
        {"report_types": b"\x06\x00"},
        {"onsets": array("q")},
        {"onsets": array("q", [0, -(2**31) - 1])},
        {"onsets": array("q", [0, 2**31 + 1])},
    ],
)
def test_columns_that_cannot_be_right_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidKeyError):
        PackedKeys.from_columns(**columns(**change))


def test_packed_keys_show_their_number_and_nothing_else() -> None:
    assert repr(PackedKeys([WHOLE])) == "<PackedKeys of 1>"
