from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.publishing.due import DueKeys
from immuni.keys import DiagnosisKey, ENIntervalNumber, ReportType, TemporaryExposureKey

numbers = st.tuples(
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**31 - 1),
    st.integers(1, 144),
    st.integers(0, 8),
    st.integers(-14, 14),
)
several = st.lists(numbers, unique_by=lambda key: key[0])


def due(keys: list[tuple[bytes, int, int, int, int]]) -> DueKeys:
    made = DueKeys()
    for key_data, start, period, level, onset in keys:
        made.add(key_data, start, period, level=level, onset=onset)
    return made


@given(several)
def test_keys_are_packed_in_the_order_of_their_bytes(
    keys: list[tuple[bytes, int, int, int, int]],
) -> None:
    assert list(due(keys).packed()) == [
        DiagnosisKey(
            TemporaryExposureKey(key_data, ENIntervalNumber(start), period),
            level,
            ReportType.CONFIRMED_TEST,
            onset,
        )
        for key_data, start, period, level, onset in sorted(keys)
    ]


@given(several, st.sets(st.integers(0, 20)))
def test_keys_that_are_left_out_take_their_numbers_with_them(
    keys: list[tuple[bytes, int, int, int, int]], places: set[int]
) -> None:
    left_out = {key[0] for place, key in enumerate(keys) if place in places}

    assert due(keys).without(left_out) == due([key for key in keys if key[0] not in left_out])


def test_keys_never_show() -> None:
    assert repr(due([(b"0123456789abcdef", 0, 144, 8, 0)])) == "DueKeys()"
