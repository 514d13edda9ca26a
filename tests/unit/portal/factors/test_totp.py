import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.entropy import SeededEntropy
from immuni.portal.factors import recovery, totp

NOW = datetime(2020, 6, 20, 12, 0, 10, tzinfo=UTC)
SECRET = totp.draw_secret(SeededEntropy("totp"))


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    # Appendix B, SHA-1; of its eight digits apps show the last six.
    instant = datetime.fromtimestamp(seconds, UTC)

    assert totp.code_at(b"12345678901234567890", instant) == code[-6:]


def test_the_steps_around_now_count_and_no_others() -> None:
    step = int(NOW.timestamp()) // 30
    found = [
        totp.step_of(SECRET, totp.code_at(SECRET, NOW + shift * totp.STEP), now=NOW)
        for shift in range(-3, 4)
    ]

    assert found == [None, None, step - 1, step, step + 1, None, None]


@given(st.text(max_size=12))
def test_a_text_is_a_code_only_if_it_is_six_digits(text: str) -> None:
    digits = len(text) == 6 and all(each in "0123456789" for each in text)

    assert totp.is_code(text) == digits
    if not digits:
        assert totp.step_of(SECRET, text, now=NOW) is None


def test_apps_get_the_secret_that_is_shown() -> None:
    uri = totp.uri_of(SECRET, user="anna", host="portal.example")
    text = totp.secret_text(SECRET).replace(" ", "")

    assert base64.b32decode(text) == SECRET
    assert f"secret={text}" in uri
    assert uri.startswith("otpauth://totp/immuni%20portal.example:anna?")


def test_recovery_codes_are_distinct_and_hash_alike_however_they_are_written() -> None:
    codes = recovery.draw_codes(SeededEntropy("codes"))

    assert len(set(codes)) == recovery.CODES
    assert {len(recovery.bare(code)) for code in codes} == {16}
    assert recovery.hash_of(f" {codes[0].lower().replace('-', ' ')} ") == recovery.hash_of(codes[0])
    assert recovery.hash_of(codes[0]) != recovery.hash_of(codes[1])
