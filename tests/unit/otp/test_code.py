"""The one-time password against its published vectors and its own rules."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.entropy import SeededEntropy
from immuni.otp import (
    ALPHABET,
    InvalidOtpError,
    check_digit,
    generate_otp,
    grouped,
    normalise,
    otp_hash,
    parse_otp,
    parse_otp_hash,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "otp.json").read_text(encoding="utf-8")
)
seeds = st.integers(min_value=0)


@pytest.mark.parametrize("vector", VECTORS["valid"], ids=lambda vector: vector["otp"])
def test_a_published_code_is_valid_and_has_its_hash(vector: dict[str, str]) -> None:
    assert otp_hash(parse_otp(vector["otp"])) == vector["sha256"]


@pytest.mark.parametrize(("nine", "digit"), VECTORS["prefix_to_check_digit"].items())
def test_a_published_prefix_has_its_check_digit(nine: str, digit: str) -> None:
    assert check_digit(nine) == digit


@pytest.mark.parametrize("text", VECTORS["invalid"])
def test_a_published_invalid_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidOtpError):
        parse_otp(text)


@given(seeds)
def test_what_is_generated_is_valid_and_survives_being_dictated(seed: int) -> None:
    otp = generate_otp(SeededEntropy(seed))

    assert parse_otp(otp) == otp
    assert parse_otp(normalise(grouped(otp).lower())) == otp
    assert parse_otp(normalise(f" {otp[:3]}-{otp[3:7]} – {otp[7:]}\n")) == otp


@given(seeds, st.integers(0, 8), st.sampled_from(ALPHABET))
def test_only_the_known_look_alikes_escape_the_check_digit(
    seed: int, position: int, other: str
) -> None:
    otp = generate_otp(SeededEntropy(seed))
    changed = otp[:position] + other + otp[position + 1 :]
    pair = {otp[position], other}
    blind = [{"E", "4"}, {"F", "5"}, {"H", "7"}, {"I", "8"}, {"J", "9"}]
    if position % 2 == 0:
        blind.append({"X", "1"})

    escapes = check_digit(changed[:9]) == otp[9]

    assert escapes == (len(pair) == 1 or pair in blind)


@given(st.text(max_size=80))
def test_no_text_but_sixty_four_hexadecimal_digits_is_a_hash(text: str) -> None:
    with pytest.raises(InvalidOtpError):
        parse_otp_hash(text)


@pytest.mark.parametrize("text", ["a" * 63, "a" * 64 + "\n", "A" * 64, "g" * 64])
def test_a_near_miss_is_no_hash(text: str) -> None:
    with pytest.raises(InvalidOtpError):
        parse_otp_hash(text)
