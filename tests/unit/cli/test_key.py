"""``immuni key derive``, on the published vectors."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.command_line import immuni

VECTORS: Any = json.loads(
    (Path(__file__).parents[2] / "vectors" / "crypto-v1.2.json").read_text(encoding="utf-8")
)
TEK = VECTORS["tek"]
START = str(VECTORS["rolling_start_number"])


def test_machines_get_the_published_vectors() -> None:
    outcome = immuni(
        "key", "derive", TEK, "--start", START, "--metadata", VECTORS["metadata"], "--json"
    )

    assert outcome.code == 0
    assert outcome.json == {
        "rolling_start_number": VECTORS["rolling_start_number"],
        "rolling_period": 144,
        "rpik": VECTORS["rpik"],
        "aemk": VECTORS["aemk"],
        "rpis": [broadcast["rpi"] for broadcast in VECTORS["broadcasts"]],
        "aems": [broadcast["aem"] for broadcast in VECTORS["broadcasts"]],
    }


def test_people_get_a_table() -> None:
    outcome = immuni("key", "derive", TEK, "--start", START, "--period", "2")

    assert outcome.code == 0
    assert VECTORS["rpik"] in outcome.out
    assert VECTORS["broadcasts"][1]["rpi"] in outcome.out
    assert VECTORS["broadcasts"][2]["rpi"] not in outcome.out


def test_without_metadata_there_are_no_aems() -> None:
    derived = immuni("key", "derive", TEK, "--start", START, "--period", "1", "--json").json

    assert len(derived["rpis"]) == 1
    assert derived["aems"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        [TEK],
        [TEK[:-2], "--start", START],
        ["nonsense", "--start", START],
        [TEK, "--start", "-1"],
        [TEK, "--start", str(2**32)],
        [TEK, "--start", START, "--period", "0"],
        [TEK, "--start", START, "--period", "145"],
        [TEK, "--start", START, "--metadata", "4008"],
        [TEK, "--start", START, "--metadata", "80080000"],
        [TEK, "--start", START, "--metadata", "40080001"],
    ],
    ids=[
        "no start",
        "15 bytes",
        "not hexadecimal",
        "a negative start",
        "a start over 32 bits",
        "period 0",
        "period 145",
        "2 bytes of metadata",
        "metadata of version 2",
        "reserved bytes",
    ],
)
def test_wrong_use_is_exit_code_2_and_repeats_no_key(arguments: list[str]) -> None:
    outcome = immuni("key", "derive", *arguments)

    assert outcome.code == 2
    assert outcome.out == ""
    assert TEK[:-2] not in outcome.err
