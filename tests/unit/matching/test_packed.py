"""Sightings in columns."""

from array import array
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.crypto import AEM, RPI
from immuni.keys import interval_at
from immuni.matching import InvalidSightingError, PackedSightings, Sighting
from tests.unit.matching.contacts import MIDNIGHT

sightings = st.builds(
    Sighting,
    st.binary(min_size=16, max_size=16).map(RPI),
    st.none() | st.binary(min_size=4, max_size=4).map(AEM),
    st.integers(-127, 126),
    st.timedeltas(timedelta(-18_000), timedelta(18_000)).map(MIDNIGHT.__add__),
    st.none() | st.timedeltas(timedelta(), timedelta(days=14)),
)


def columns(**changes: object) -> Any:  # noqa: ANN401 - any of them may be wrong
    """Return the columns of two sightings, some of them changed."""
    one = Sighting(RPI(bytes(16)), None, -60, MIDNIGHT)
    packed = PackedSightings([one, one])
    return {name: getattr(packed, name) for name in PackedSightings.__slots__} | changes


@given(st.lists(sightings), st.data())
def test_packed_sightings_behave_like_the_tuple_of_the_same_sightings(
    values: list[Sighting], data: st.DataObject
) -> None:
    packed = PackedSightings(values)
    cut = data.draw(st.slices(len(values)))

    assert packed == tuple(values)
    assert tuple(packed[cut]) == tuple(values)[cut]
    assert hash(packed) == hash(tuple(values))
    assert list(packed.intervals) == [interval_at(sighting.seen_at) for sighting in values]


def test_columns_are_taken_over_as_they_are() -> None:
    assert PackedSightings.from_columns(**columns()) == PackedSightings.from_columns(**columns())
    assert len(PackedSightings.from_columns(**columns())) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"rpis": bytearray(31)},
        {"aems": bytearray(4)},
        {"has_aem": bytearray(3)},
        {"rssis_dbm": array("b", [0])},
        {"seen_at_us": array("q", [0])},
        {"since_scan_us": array("q")},
        {"rssis_dbm": array("b", [0, 127])},
        {"rssis_dbm": array("b", [-128, 0])},
        {"seen_at_us": array("q", [0, -1])},
        {"seen_at_us": array("q", [0, 2**60])},
        {"since_scan_us": array("q", [0, -2])},
    ],
)
def test_columns_that_cannot_be_right_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(InvalidSightingError):
        PackedSightings.from_columns(**columns(**change))


def test_no_sightings_are_columns_too() -> None:
    nothing = {name: getattr(PackedSightings(), name) for name in PackedSightings.__slots__}

    assert len(PackedSightings.from_columns(**nothing)) == 0
    assert list(PackedSightings().intervals) == []


def test_packed_sightings_show_their_number_and_nothing_else() -> None:
    packed = PackedSightings([Sighting(RPI(b"\xde\xad" * 8), None, -60, MIDNIGHT)])

    assert repr(packed) == "<PackedSightings of 1>"
    assert packed != 2
    assert packed != ("no sighting",)
