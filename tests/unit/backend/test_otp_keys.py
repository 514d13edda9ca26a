import hmac
from datetime import date
from hashlib import sha256

import pytest

from immuni.backend.otp_keys import InvalidOtpKeysError, OtpKeys
from immuni.otp import OtpHash

OTP = OtpHash(sha256(b"2Y1LJYW9L5").hexdigest())
OLD = bytes(range(32))
NEW = bytes(range(32, 64))
KEYS = OtpKeys({"new": NEW, "old": OLD})


def test_a_code_is_stored_under_hmac_sha256_of_its_hash() -> None:
    assert OtpKeys({"only": OLD}).keyed(OTP) == [hmac.digest(OLD, bytes.fromhex(OTP), "sha256")]


def test_a_code_is_found_under_every_secret_the_current_one_first() -> None:
    assert KEYS.keyed(OTP) == [OtpKeys({"a": NEW}).keyed(OTP)[0], OtpKeys({"b": OLD}).keyed(OTP)[0]]
    assert KEYS.current_id == "new"


def test_the_order_of_the_keys_does_not_matter_to_a_repeated_upload() -> None:
    first, second = bytes(16), bytes(range(16))

    assert KEYS.upload_digest("old", [first, second]) == KEYS.upload_digest("old", [second, first])
    assert KEYS.upload_digest("old", [first]) != KEYS.upload_digest("old", [first, second])
    assert KEYS.upload_digest("old", [first]) != KEYS.upload_digest("new", [first])


def test_a_repeated_request_has_the_same_id_and_the_same_dates() -> None:
    day, other = date(2020, 6, 1), date(2020, 6, 2)

    def digest(request_id: str, onset_on: date | None, tested_on: date | None) -> bytes:
        return KEYS.request_digest("new", request_id, onset_on=onset_on, tested_on=tested_on)

    assert digest("a", day, None) == digest("a", day, None)
    assert (
        len(
            {
                digest("a", day, None),
                digest("b", day, None),
                digest("a", other, None),
                digest("a", None, day),
            }
        )
        == 4
    )


def test_secrets_are_read_as_they_were_written() -> None:
    assert OtpKeys.parse(KEYS.render()) == KEYS


def test_a_secret_never_shows() -> None:
    assert NEW.hex() not in repr(KEYS)
    assert repr(NEW) not in repr(KEYS)


@pytest.mark.parametrize(
    "text", ["", "a", "a:00", f"a:{'0' * 63}", f"a:{'0' * 64},a:{'1' * 64}", f":{'0' * 64}"]
)
def test_secrets_that_cannot_be_used_are_refused(text: str) -> None:
    with pytest.raises(InvalidOtpKeysError):
        OtpKeys.parse(text)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InvalidOtpKeysError, match="32 bytes or more, got 31"):
        OtpKeys({"a": bytes(31)})


def test_a_secret_that_is_not_there_is_named() -> None:
    with pytest.raises(InvalidOtpKeysError, match="no secret gone"):
        KEYS.upload_digest("gone", [])
