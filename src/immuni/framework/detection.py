"""From downloaded files to exposures: a pure computation on what the phone holds."""

from collections.abc import Sequence
from datetime import datetime

from immuni.errors import ImmuniError
from immuni.export import Export, ExportError, VerificationKey, read_export
from immuni.matching import Sighting, match
from immuni.risk import Assessment, ExposureConfiguration, assess


class RefusedExportError(ImmuniError, ValueError):
    """A file is not a TEK Chunk signed by a pinned key; nothing was detected or counted.

    Attributes:
        position: Its place among the files that were given; those before it are good.
    """

    def __init__(self, position: int, fault: ExportError) -> None:
        super().__init__(f"file {position + 1} was refused: {fault}")
        self.position = position


def detect(
    exports: Sequence[bytes],
    sightings: Sequence[Sighting],
    configuration: ExposureConfiguration,
    *,
    verification_keys: Sequence[VerificationKey],
    now: datetime,
) -> Assessment:
    """Match and score the keys of all files together.

    Args:
        exports: TEK Chunk files, in the order of publication.
        sightings: What the phone heard.
        configuration: The parameters of the risk model.
        verification_keys: The keys that are trusted; one good signature is enough.
        now: The time of the detection.

    Raises:
        RefusedExportError: Some file is damaged, or not signed by a pinned key.
    """
    files = [_verified(position, data, verification_keys) for position, data in enumerate(exports)]
    keys = [key for file in files for key in file.keys]
    revised_keys = [key for file in files for key in file.revised_keys]
    return assess(match(keys + revised_keys, sightings), configuration, now=now)


def _verified(position: int, data: bytes, keys: Sequence[VerificationKey]) -> Export:
    try:
        return read_export(data, keys)
    except ExportError as error:
        raise RefusedExportError(position, error) from error
