"""Builds the file of one chunk: padding, the second look at the embargo, signatures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from immuni.backend.publishing.padding import SimulatedUpload, simulate_upload
from immuni.backend.publishing.rules import PublicationRules, Window
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.signing import Signer
from immuni.entropy import Entropy
from immuni.export import Export, write_export
from immuni.keys import DiagnosisKey


@dataclass(slots=True)
class Padding:
    """Keys of simulated people: those that are due go into the chunk, the others wait."""

    keys: list[DiagnosisKey] = field(default_factory=list)
    leftovers: list[SimulatedUpload] = field(default_factory=list)


def add_person(
    padding: Padding, *, rules: PublicationRules, window: Window, now: datetime, entropy: Entropy
) -> None:
    """Add a simulated person to `padding`; the embargo holds for their keys as well.

    What waits of them is published when real keys of the same days are: its absence would tell how
    many of the people were real.
    """
    upload = simulate_upload(window, entropy)
    parts = rules.sort(upload.teks, upload.diagnosis, now)
    padding.keys.extend(parts.ready)
    if parts.waiting:
        padding.leftovers.append(SimulatedUpload(parts.waiting, upload.diagnosis))


def build_file(
    keys: Sequence[DiagnosisKey],
    *,
    window: Window,
    rules: PublicationRules,
    settings: PublishingSettings,
    signers: Sequence[Signer],
    now: datetime,
) -> bytes:
    """Write the signed file of one chunk.

    Args:
        keys: All keys of the chunk; the file has them in the order of their bytes.
        window: The run's window.
        rules: Say how long the embargo is.
        settings: Say what the file names: region and apps.
        signers: Each signs the file; two while a key is being replaced.
        now: When the file is written: the embargo is looked at once more, whoever chose the keys.

    Raises:
        EmbargoError: A key is still under embargo; nothing was written or signed.
        ExportFieldError: A field does not fit the format.
    """
    rules.require_over_embargo(keys, now)
    export = Export(start=window.start, end=window.end, region=settings.export_region, keys=keys)
    return write_export(
        export,
        signers,
        app_bundle_id=settings.app_bundle_id,
        android_package=settings.android_package,
    )
