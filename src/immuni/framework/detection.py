"""From downloaded files to contacts: a pure computation on what the phone holds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from immuni.errors import ImmuniError
from immuni.export import Export, ExportError, VerificationKey, read_export
from immuni.keys import PackedKeys, ReportType
from immuni.matching import MatchedKey, Sighting, match


class RefusedExportError(ImmuniError, ValueError):
    """A file is not a TEK Chunk signed by a pinned key; nothing was detected or counted.

    Attributes:
        position: Its place among the files that were given; those before it are good.
    """

    def __init__(self, position: int, fault: ExportError) -> None:
        super().__init__(f"file {position + 1} was refused: {fault}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Contact:
    """A published key of which the phone has heard.

    Attributes:
        key_data: The key, by which what it gave is found again when it is revoked.
        heard: What was heard of its phone.
    """

    key_data: bytes = field(repr=False)
    heard: MatchedKey


@dataclass(frozen=True, slots=True)
class Contacts:
    """What some files tell a phone.

    Attributes:
        found: The keys of which it has heard.
        revoked: Keys that are no longer those of somebody who tested positive.
    """

    found: tuple[Contact, ...]
    revoked: tuple[bytes, ...] = field(repr=False)


def find_contacts(
    exports: Sequence[bytes],
    sightings: Sequence[Sighting],
    *,
    verification_keys: Sequence[VerificationKey],
) -> Contacts:
    """Match the keys of all files together.

    Args:
        exports: TEK Chunk files, in the order of publication.
        sightings: What the phone heard; `PackedSightings` take the least time.
        verification_keys: The keys that are trusted; one good signature is enough.

    Raises:
        RefusedExportError: Some file is damaged, or not signed by a pinned key.
    """
    return contacts_among(published_keys(exports, verification_keys), sightings)


def published_keys(
    exports: Sequence[bytes], verification_keys: Sequence[VerificationKey]
) -> PackedKeys:
    """Return the keys of all files, revised keys last.

    Args:
        exports: TEK Chunk files, in the order of publication.
        verification_keys: The keys that are trusted; one good signature is enough.

    Raises:
        RefusedExportError: Some file is damaged, or not signed by a pinned key.
    """
    files = [_verified(position, data, verification_keys) for position, data in enumerate(exports)]
    return PackedKeys.joined(
        [*(file.keys for file in files), *(file.revised_keys for file in files)]
    )


def contacts_among(keys: PackedKeys, sightings: Sequence[Sighting]) -> Contacts:
    """Match keys and tell what became of them.

    Args:
        keys: In the order of publication, revised keys last.
        sightings: What the phone heard, or at least all that it heard of these keys.
    """
    found = [Contact(keys[each.key_index].tek.key_data, each) for each in match(keys, sightings)]
    revoked = [
        keys[place].tek.key_data
        for place, report_type in enumerate(keys.report_types)
        if report_type == ReportType.REVOKED
    ]
    return Contacts(tuple(found), tuple(revoked))


def _verified(position: int, data: bytes, keys: Sequence[VerificationKey]) -> Export:
    try:
        return read_export(data, keys)
    except ExportError as error:
        raise RefusedExportError(position, error) from error
