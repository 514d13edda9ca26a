"""``immuni otp``."""

import hashlib

import pytest

from tests.unit.cli.command_line import immuni

CODE = "9K2RAY8UUQ"
GROUPED = "9K2 RAY8 UUQ"
SHA256 = hashlib.sha256(CODE.encode()).hexdigest()


@pytest.mark.parametrize(
    "written",
    [CODE, GROUPED, CODE.lower(), "9k2 ray8 uuq", "9K2-RAY8-UUQ", " 9K2RAY8UUQ ", "9 K 2 RAY8UUQ"],
)
def test_a_code_may_be_written_in_many_ways(written: str) -> None:
    outcome = immuni("otp", "check", written)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"{GROUPED} is well-formed.\n"
    assert immuni("otp", "check", written, "--json").json == {
        "valid": True, "otp": CODE, "grouped": GROUPED, "sha256": SHA256,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("9K2RAY8UUX", "check digit"),
        ("9K2RAY8UU", "10"),
        ("9K2RAY8UUQQ", "10"),
        ("", "10"),
        ("9B2RAY8UUQ", "character 2 is outside the alphabet"),
        ("9K2RAY8UU1", "check digit"),
    ],
    ids=["wrong end", "too short", "too long", "nothing", "no letter of it", "another end"],
)
def test_a_wrong_code_is_the_answer_no_with_a_reason(wrong: str, reason: str) -> None:
    outcome = immuni("otp", "check", wrong)
    told = immuni("otp", "check", wrong, "--json")

    assert (outcome.code, outcome.out, told.code, told.err) == (1, "", 1, "")
    assert outcome.err.startswith("immuni: ")
    assert outcome.err.count("\n") == 1
    assert reason in outcome.err
    assert list(told.json) == ["valid", "reason", "look_alikes"]
    assert told.json["valid"] is False
    assert f"immuni: {told.json['reason']}.\n" == outcome.err


def test_a_new_code_is_well_formed_and_another_one_each_time() -> None:
    first, second = immuni("otp", "new").out, immuni("otp", "new").out

    assert first != second
    for written in (first, second):
        assert immuni("otp", "check", written.strip()).code == 0


def test_machines_get_the_hash_that_a_phone_sends() -> None:
    told = immuni("otp", "new", "--json").json

    assert list(told) == ["otp", "grouped", "sha256"]
    assert told["grouped"].replace(" ", "") == told["otp"]
    assert told["sha256"] == hashlib.sha256(told["otp"].encode()).hexdigest()


@pytest.mark.parametrize("arguments", [[], ["check"], ["new", "one"], ["revoke", CODE]])
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    assert immuni("otp", *arguments).code == 2
