import pytest

from immuni.entropy import SeededEntropy
from immuni.portal.audit.keys import AuditKeys, InvalidAuditKeysError

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
KEYS = AuditKeys({"new": NEW, "old": OLD})


def test_secrets_are_read_as_they_were_written() -> None:
    assert AuditKeys.parse(KEYS.render()) == KEYS
    assert AuditKeys.generate(SeededEntropy("keys")).current_id == "audit-1"


def test_the_first_secret_makes_the_chain_go_on_and_those_behind_are_older() -> None:
    assert KEYS.current_id == "new"
    assert [KEYS.age(each) for each in ("new", "old", "unknown")] == [0, 1, None]


@pytest.mark.parametrize(
    "text",
    ["", "a", f"a:{OLD.hex()[2:]}", f"a:{OLD.hex()},a:{NEW.hex()}", f"a b:{OLD.hex()}", "a:zz"],
)
def test_what_is_no_list_of_distinct_secrets_is_refused(text: str) -> None:
    with pytest.raises(InvalidAuditKeysError):
        AuditKeys.parse(text)


def test_secrets_that_can_be_guessed_are_refused() -> None:
    for secrets in ({}, {"a": b"short"}):
        with pytest.raises(InvalidAuditKeysError):
            AuditKeys(secrets)


def test_a_secret_never_shows() -> None:
    assert NEW.hex() not in repr(KEYS)
    assert repr(NEW) not in repr(KEYS)
