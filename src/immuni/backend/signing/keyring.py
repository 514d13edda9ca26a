"""The signers that the inventory names, opened when they are needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from immuni.backend.signing.inventory import Inventory, KeyEntry, Kind, Purpose
from immuni.backend.signing.local import LocalKeySigner, read_private_file
from immuni.backend.signing.service import ServiceAccess, ServiceSigner
from immuni.backend.signing.signer import Signer, SigningKeyError, read_public_key
from immuni.export import VerificationKey


@dataclass(slots=True)
class Keyring:
    """All keys of a deployment, as the inventory says at this moment.

    The file is looked at before each use: who begins or ends a rotation restarts nothing.

    Attributes:
        path: The inventory.
        without_file: What counts where there is none, as in a folder of an earlier release.
    """

    path: Path
    without_file: Inventory
    _seen: tuple[int, ...] = ()
    _inventory: Inventory = field(init=False)
    _opened: dict[tuple[Purpose, str], Signer] = field(default_factory=dict, repr=False)

    def inventory(self) -> Inventory:
        """Return what the file says now.

        Raises:
            SigningKeyError: It cannot be read.
        """
        try:
            seen = self.path.stat()
        except FileNotFoundError:
            return self.without_file
        mark = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
        if mark != self._seen:
            # Replaced in one step by who writes it: what is read is whole.
            self._inventory = Inventory.parse(self.path.read_text(encoding="utf-8"))
            self._opened.clear()
            self._seen = mark
        return self._inventory

    def signers(self) -> Sequence[Signer]:
        """Return who signs a chunk: the active key, during a rotation the joining one after it.

        Raises:
            SigningKeyError: A key cannot be used.
        """
        return [self._open(each) for each in self.inventory().live(Purpose.EXPORT)]

    def settings_signer(self) -> Signer:
        """Return who signs the settings: an answer has room for one signature, the active key's.

        Raises:
            SigningKeyError: The key cannot be used.
        """
        return self._open(self.inventory().active(Purpose.SETTINGS))

    def settings_keys(self) -> Mapping[str, ec.EllipticCurvePublicKey]:
        """Return, by id, the public halves that phones pin for the settings.

        Raises:
            SigningKeyError: A file cannot be read.
        """
        return {
            each.key_id: public_key_of(each, self.path.parent)
            for each in self.inventory().live(Purpose.SETTINGS)
        }

    def pinned_keys(self) -> Sequence[VerificationKey]:
        """Return the public halves that phones pin for chunks.

        Raises:
            SigningKeyError: A file cannot be read.
        """
        return self._verifying(self.inventory().live(Purpose.EXPORT))

    def verification_keys(self) -> Sequence[VerificationKey]:
        """Return the public halves of all keys that ever signed chunks.

        Raises:
            SigningKeyError: A file cannot be read.
        """
        return self._verifying(self.inventory().of(Purpose.EXPORT))

    def _verifying(self, entries: Sequence[KeyEntry]) -> Sequence[VerificationKey]:
        return [
            VerificationKey(each.key_id, each.version, public_key_of(each, self.path.parent))
            for each in entries
        ]

    def _open(self, entry: KeyEntry) -> Signer:
        name = (entry.purpose, entry.version)
        if name not in self._opened:
            self._opened[name] = open_signer(entry, self.path.parent)
        return self._opened[name]


def public_key_of(entry: KeyEntry, folder: Path) -> ec.EllipticCurvePublicKey:
    """Return the public half of a key.

    Raises:
        SigningKeyError: Its file cannot be read.
    """
    try:
        return read_public_key((folder / entry.public).read_bytes())
    except OSError as error:
        raise SigningKeyError(f"{folder / entry.public}: {error.strerror}") from error


def open_signer(entry: KeyEntry, folder: Path) -> Signer:
    """Return the signer of a key.

    Args:
        entry: The key.
        folder: Where the inventory lies.

    Raises:
        SigningKeyError: The key cannot be used, or is not the one whose public half is pinned.
    """
    public_key = public_key_of(entry, folder)
    try:
        match entry.kind:
            case Kind.LOCAL:
                return _local(entry, folder, public_key)
            case Kind.PKCS11:
                # The library of tokens is loaded where there is one.
                from immuni.backend.signing.token import TokenSigner, token_key  # noqa: PLC0415

                key = token_key(entry.place, folder)
                return TokenSigner(entry.key_id, entry.version, public_key, key)
            case Kind.HTTPS:
                access = service_access(entry.place, folder)
                return ServiceSigner(entry.key_id, entry.version, public_key, access)
    except KeyError as error:
        raise SigningKeyError(f"key {entry.key_id} {entry.version}: no {error} is said") from error


def service_access(place: Mapping[str, str], folder: Path) -> ServiceAccess:
    """Return what the inventory says about a signing service."""
    return ServiceAccess(
        url=place["url"],
        ca=folder / place["ca"],
        certificate=folder / place["certificate"] if "certificate" in place else None,
        bearer_file=folder / place["bearer_file"] if "bearer_file" in place else None,
    )


def _local(entry: KeyEntry, folder: Path, public_key: ec.EllipticCurvePublicKey) -> Signer:
    password_file = entry.place.get("password_file")
    signer = LocalKeySigner.read(
        folder / entry.place["file"],
        key_id=entry.key_id,
        key_version=entry.version,
        password=read_password(folder / password_file) if password_file else None,
    )
    if signer.public_key != public_key:
        raise SigningKeyError(f"{folder / entry.place['file']}: not the key of {entry.public}")
    return signer


def read_password(file: Path) -> bytes:
    """Return the password in a file that only its owner can read.

    Raises:
        SigningKeyError: There is none, or others can read it.
    """
    password = read_private_file(file).rstrip(b"\r\n")
    if not password:
        raise SigningKeyError(f"{file}: no password in it")
    return password
