"""The platform's key store, here one that lives in memory behind keyring's own interface."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from keyring.backend import KeyringBackend
from keyring.backends import SecretService, chainer, fail, null
from keyring.compat import properties
from keyring.errors import KeyringLocked

from immuni.entropy import SystemEntropy
from immuni.framework import ExposedKeyError, FileKeyStore, InvalidStoreKeyError, Store
from immuni.framework.store.encrypted_database import StoreLockedError
from immuni.framework.store.key_store import KeyStore, KeyStoreError
from immuni.framework.store.keyring_key_store import (
    SECURE_BACKENDS,
    SERVICE,
    KeyringKeyStore,
    KeyringUnavailableError,
    key_store_for,
)

KEY = bytes(range(32))


class MemoryKeyring(KeyringBackend):
    """A key store that can be locked, and taken away."""

    secrets: ClassVar[dict[tuple[str, str], str]] = {}
    is_there: ClassVar[bool] = True
    fault: ClassVar[Exception | None] = None

    @properties.classproperty
    def priority(cls) -> float:  # noqa: N805 - the interface has it so
        if not cls.is_there:
            raise RuntimeError("nobody answers")
        return 1

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return self.secrets.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        self.secrets[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        del self.secrets[service, username]

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def keyring() -> Iterator[type[MemoryKeyring]]:
    yield MemoryKeyring
    MemoryKeyring.secrets.clear()
    MemoryKeyring.is_there = True
    MemoryKeyring.fault = None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.key"


def chosen(path: Path, name: str | None = None) -> KeyStore:
    return key_store_for(path, name, accepted=[MemoryKeyring])


@pytest.mark.usefixtures("keyring")
def test_a_key_is_kept_under_its_name_and_not_in_a_file(path: Path) -> None:
    chosen(path, "phone").save(KEY)

    assert chosen(path).load() == KEY
    assert MemoryKeyring.secrets == {(SERVICE, "phone"): KEY.hex()}
    (note,) = path.parent.iterdir()
    assert note.read_text() == "phone"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert isinstance(chosen(path), KeyringKeyStore)
    assert "key store" in chosen(path).description


@pytest.mark.usefixtures("keyring")
def test_phones_in_different_folders_have_different_keys(tmp_path: Path) -> None:
    chosen(tmp_path / "one.key").save(KEY)

    assert chosen(tmp_path / "other.key").load() is None


def test_without_a_key_store_the_key_lies_in_a_file_and_stays_there(
    path: Path, keyring: type[MemoryKeyring]
) -> None:
    keyring.is_there = False
    chosen(path).save(KEY)
    assert isinstance(chosen(path), FileKeyStore)

    keyring.is_there = True

    assert isinstance(chosen(path), FileKeyStore)
    assert chosen(path).load() == KEY
    assert keyring.secrets == {}


def test_a_key_store_that_went_away_is_missed_and_not_replaced(
    path: Path, keyring: type[MemoryKeyring]
) -> None:
    database = path.with_name("store.db")
    Store(database, chosen(path), SystemEntropy()).close()
    keyring.is_there = False

    with pytest.raises(KeyringUnavailableError):
        chosen(path)
    with pytest.raises(StoreLockedError, match="no key"):
        Store(database, FileKeyStore(path), SystemEntropy())

    assert not path.exists()
    keyring.is_there = True
    Store(database, chosen(path), SystemEntropy()).close()


@pytest.mark.parametrize("fault", [KeyringLocked("no"), OSError("no"), LookupError("no")])
def test_a_locked_or_failing_key_store_is_told_and_no_second_key_made(
    path: Path, keyring: type[MemoryKeyring], fault: Exception
) -> None:
    database = path.with_name("store.db")
    Store(database, chosen(path), SystemEntropy()).close()
    keyring.fault = fault
    before = dict(keyring.secrets)

    for attempt in (
        chosen(path).load,
        lambda: chosen(path).save(bytes(32)),
        chosen(path).forget,
        lambda: Store(database, chosen(path), SystemEntropy()),
    ):
        with pytest.raises(KeyringUnavailableError) as refused:
            attempt()
        assert KEY.hex() not in str(refused.value)

    assert keyring.secrets == before
    keyring.fault = None
    Store(database, chosen(path), SystemEntropy()).close()


@pytest.mark.usefixtures("keyring")
def test_a_phone_that_deletes_everything_has_another_key(path: Path) -> None:
    with Store(path.with_name("store.db"), chosen(path, "phone"), SystemEntropy()) as store:
        before = MemoryKeyring.secrets[SERVICE, "phone"]

        store.erase()

        assert MemoryKeyring.secrets[SERVICE, "phone"] != before


@pytest.mark.usefixtures("keyring")
def test_a_forgotten_key_is_gone(path: Path) -> None:
    keys = chosen(path)
    keys.save(KEY)
    keys.forget()
    keys.forget()

    assert keys.load() is None
    assert MemoryKeyring.secrets == {}
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("kept", ["", "00" * 31, "no number at all"])
def test_what_is_no_key_is_not_used(path: Path, keyring: type[MemoryKeyring], kept: str) -> None:
    keyring.secrets[SERVICE, "phone"] = kept

    with pytest.raises(InvalidStoreKeyError):
        chosen(path, "phone").load()
    with pytest.raises(InvalidStoreKeyError):
        chosen(path, "phone").save(bytes(31))


def test_only_key_stores_that_encrypt_are_used() -> None:
    assert SecretService.Keyring in SECURE_BACKENDS
    for insecure in (chainer.ChainerBackend, fail.Keyring, null.Keyring):
        assert not issubclass(insecure, SECURE_BACKENDS)


def test_faults_of_the_key_file_are_typed_too(path: Path) -> None:
    assert issubclass(ExposedKeyError, KeyStoreError)
    path.mkdir(mode=0o700)

    with pytest.raises(KeyStoreError):
        FileKeyStore(path).load()
    with pytest.raises(KeyStoreError):
        FileKeyStore(path).save(KEY)
    with pytest.raises(KeyStoreError):
        FileKeyStore(path).forget()
