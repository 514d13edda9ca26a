import pytest

from immuni.entropy import SeededEntropy
from immuni.portal.factors.keys import (
    FactorKeys,
    InvalidFactorKeysError,
    LostFactorKeyError,
    Sealed,
)

ENTROPY = SeededEntropy("keys")
OLD, NEW = ENTROPY.token(32), ENTROPY.token(32)
SECRET = b"twenty bytes of it.."


def test_a_secret_is_opened_under_the_key_that_sealed_it_wherever_that_stands() -> None:
    sealed = FactorKeys({"old": OLD}).seal(SECRET, account_id=1, entropy=ENTROPY)

    assert FactorKeys({"new": NEW, "old": OLD}).open(sealed, account_id=1) == SECRET
    assert SECRET not in sealed.ciphertext


def test_a_secret_cannot_be_moved_to_another_account_or_changed_or_opened_by_another_key() -> None:
    keys = FactorKeys({"old": OLD})
    sealed = keys.seal(SECRET, account_id=1, entropy=ENTROPY)
    changed = Sealed("old", sealed.ciphertext[:-1] + bytes([sealed.ciphertext[-1] ^ 1]))

    for each, account_id in ((sealed, 2), (changed, 1)):
        with pytest.raises(LostFactorKeyError):
            keys.open(each, account_id=account_id)
    for others in (FactorKeys({"new": NEW}), FactorKeys({"old": NEW})):
        with pytest.raises(LostFactorKeyError):
            others.open(sealed, account_id=1)


def test_the_first_key_signs_and_all_of_them_check() -> None:
    signature = FactorKeys({"old": OLD}).sign(b"message")

    assert FactorKeys({"new": NEW, "old": OLD}).signed(b"message", signature)
    assert not FactorKeys({"new": NEW, "old": OLD}).signed(b"massage", signature)
    assert not FactorKeys({"new": NEW}).signed(b"message", signature)
    assert not FactorKeys({"old": OLD}).signed(b"message", b"")


def test_keys_are_read_back_as_they_were_written_and_show_in_no_repr() -> None:
    keys = FactorKeys({"new": NEW, "old": OLD})

    assert FactorKeys.parse(keys.render()) == keys
    assert NEW.hex() not in repr(keys)
    assert repr(NEW) not in repr(keys)


@pytest.mark.parametrize("text", ["", "a", "a:00", f"a:{OLD.hex()},a:{NEW.hex()}", f"a:{'0' * 63}"])
def test_anything_else_is_no_keys(text: str) -> None:
    with pytest.raises(InvalidFactorKeysError):
        FactorKeys.parse(text)
