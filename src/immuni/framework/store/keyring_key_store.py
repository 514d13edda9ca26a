"""The platform's own key store, by way of the library keyring."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keyring.backend import KeyringBackend
from keyring.backends import SecretService, Windows, kwallet, macOS
from keyring.errors import KeyringError

from immuni.framework.store.key_store import (
    FileKeyStore,
    InvalidStoreKeyError,
    KeyStore,
    KeyStoreError,
    checked_key,
)

SERVICE: Final = "immuni"
SECURE_BACKENDS: Final[tuple[type[KeyringBackend], ...]] = (
    SecretService.Keyring,
    kwallet.DBusKeyring,
    macOS.Keyring,
    Windows.WinVaultKeyring,
)
"""Those that encrypt. What else claims to be a keyring, a plain file for instance, is not used."""


class KeyringUnavailableError(KeyStoreError, ConnectionError):
    """The platform's key store is absent, locked or refuses; no key was made, read or lost."""


class KeyringKeyStore:
    """The platform's key store: Secret Service, KWallet, Keychain or the Windows vault.

    Privacy:
        The platform guards the key with the user's own password, and hands it to this user's
        programs while the user is logged in.
    """

    def __init__(self, name: str, backend: KeyringBackend, *, note: Path) -> None:
        """Keep the key under a name.

        Args:
            name: Tells this phone from the user's others.
            backend: The platform's.
            note: A file that says, once it is there, that the key lies in the key store, and under
                which name.
        """
        self._name = name
        self._backend = backend
        self._note = note

    @property
    def description(self) -> str:
        """What kind of place this is, for the status page."""
        return "the key store of this device"

    def load(self) -> bytes | None:
        """Return the key, or None when none was ever kept.

        Raises:
            KeyringUnavailableError: The key store is absent or locked.
            InvalidStoreKeyError: What it keeps is no key.
        """
        with _typed_faults():
            secret = self._backend.get_password(SERVICE, self._name)
        if secret is None:
            return None
        try:
            return checked_key(bytes.fromhex(secret))
        except ValueError as error:
            raise InvalidStoreKeyError("what the key store keeps is no key") from error

    def save(self, key: bytes) -> None:
        """Keep `key` in place of a former one.

        Raises:
            KeyringUnavailableError: The key store is absent, locked or refuses; a former key stays.
        """
        with _typed_faults():
            self._backend.set_password(SERVICE, self._name, checked_key(key).hex())
            self._note.touch(mode=0o600)
            self._note.write_text(self._name)

    def forget(self) -> None:
        """Delete the key.

        Raises:
            KeyringUnavailableError: The key store is absent, locked or refuses; the key stays.
        """
        with _typed_faults():
            if self._backend.get_password(SERVICE, self._name) is not None:
                self._backend.delete_password(SERVICE, self._name)
            self._note.unlink(missing_ok=True)


def key_store_for(
    path: Path,
    name: str | None = None,
    *,
    accepted: Sequence[type[KeyringBackend]] = SECURE_BACKENDS,
) -> KeyStore:
    """Return the place of a phone's key: the platform's key store where there is one, else a file.

    A key stays where it was made. One that once lay in a file is not moved: what a disk has held,
    it may still hold. A phone that deletes everything, its key file too, begins in the key store.

    Args:
        path: The file that holds the key where the platform has no key store.
        name: Tells this phone from the user's others; without it the path does. Only the first
            start needs it: a file beside `path` remembers.
        accepted: The key stores that may be used.

    Raises:
        KeyringUnavailableError: The key lies in a key store that is not there now.
    """
    note = path.with_name(f"{path.name}.in-key-store")
    with _typed_faults():
        noted = note.read_text() if note.exists() else None
        backend = _best(accepted) if noted is not None or not path.exists() else None
    if backend is not None:
        return KeyringKeyStore(noted or name or str(path.absolute()), backend, note=note)
    if noted is not None:
        raise KeyringUnavailableError("the key lies in the device's key store, which is not there")
    return FileKeyStore(path)


def _best(accepted: Sequence[type[KeyringBackend]]) -> KeyringBackend | None:
    usable = [backend for backend in accepted if backend.viable]
    return max(usable, key=lambda backend: backend.priority)() if usable else None


@contextmanager
def _typed_faults() -> Iterator[None]:
    """Turn whatever a platform's key store raises into one error, without what it says."""
    try:
        yield
    except (KeyStoreError, InvalidStoreKeyError):
        raise
    except KeyringError as error:
        raise KeyringUnavailableError(f"the key store refused: {type(error).__name__}") from error
    except Exception as error:
        # D-Bus, Cocoa and Windows each have errors of their own, which keyring lets through.
        raise KeyringUnavailableError(f"the key store failed: {type(error).__name__}") from error
