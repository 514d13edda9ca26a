"""A log line cannot carry what must not be logged."""

import pytest

from immuni.keys import ENIntervalNumber, TemporaryExposureKey
from immuni.telemetry import plain_values_only


@pytest.mark.parametrize(
    "value",
    [b"0123456789abcdef", TemporaryExposureKey(bytes(16), ENIntervalNumber(0)), ["a"], {"a": 1}],
    ids=["bytes", "key", "list", "mapping"],
)
def test_anything_but_a_plain_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="log field 'found' holds a"):
        plain_values_only(None, "info", {"event": "upload_stored", "found": value})


def test_counts_and_reasons_pass() -> None:
    event = {"event": "upload_stored", "count": 14, "seconds": 0.25, "dummy": False, "why": None}

    assert plain_values_only(None, "info", dict(event)) == event
