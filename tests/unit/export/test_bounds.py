"""What a hostile file may cost: memory in proportion to the limit, work in proportion to bytes."""

import json
import subprocess
import sys
from collections import Counter
from types import FrameType

import pytest

from immuni.export import read_export, write_export
from tests.unit.export.chunks import SIGNER, VECTORS, a_key, an_export

LIMIT = 4 * 1024 * 1024


def test_no_file_takes_more_memory_than_a_few_times_the_limit() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "tests.unit.export.bombs", str(LIMIT)],
        cwd=VECTORS.parents[2],
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    answer = json.loads(told)

    assert answer["outcomes"] == {
        "zeros": "MalformedExportError",
        "keys": f"{(LIMIT - 34) // 20} keys",
        "empty keys": "ExportFieldError",
        "empty signature infos": "MalformedExportError",
        "unknown numbers": "MalformedExportError",
        "groups": "MalformedExportError",
        "a key of groups": "MalformedExportError",
        "a key of fields": "1 keys",
        "more than it may": "OversizeExportError",
        "more than it says": "MalformedContainerError",
        "both at once": "OversizeExportError",
    }
    assert answer["grown_bytes"] < 6 * LIMIT


@pytest.mark.parametrize("count", [1, 100])
def test_reading_takes_no_call_for_each_key(count: int) -> None:
    export = an_export(*map(a_key, range(1, count + 1)))
    data = write_export(export, [SIGNER])
    calls = Counter[str]()

    def counted(_: FrameType, event: str, __: object) -> None:
        calls[event] += 1

    sys.setprofile(counted)
    try:
        read_export(data, [SIGNER.verification_key])
    finally:
        sys.setprofile(None)

    assert calls["call"] < 150
    assert calls["c_call"] < 300
