from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from immuni.ble import next_scan
from immuni.entropy import SeededEntropy

NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)


@given(st.integers(min_value=0))
def test_scans_are_211_to_300_seconds_apart(seed: int) -> None:
    pause = next_scan(NOON, SeededEntropy(seed)) - NOON

    assert timedelta(seconds=211) <= pause < timedelta(seconds=300)


def test_pauses_are_spread_over_the_whole_span() -> None:
    entropy = SeededEntropy(1)
    pauses = [next_scan(NOON, entropy) - NOON for _ in range(1000)]

    assert min(pauses) < timedelta(seconds=213)
    assert max(pauses) > timedelta(seconds=297)
