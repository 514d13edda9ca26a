"""Builds the file of one chunk: padding, the second look at the embargo, signatures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from immuni.backend.packed_keys import stored_keys, teks_of
from immuni.backend.publishing.due import DueKeys
from immuni.backend.publishing.padding import SimulatedUpload, noise_people, simulate_upload
from immuni.backend.publishing.rules import PublicationRules, Window
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.signing import Signer
from immuni.entropy import Entropy
from immuni.export import Export, write_export
from immuni.keys import PackedKeys

_MAX_PEOPLE_PER_KEY: Final = 10


@dataclass(slots=True)
class Padding:
    """Keys of simulated people: those that are due go into the chunk, the others wait."""

    keys: DueKeys = field(default_factory=DueKeys)
    leftovers: list[SimulatedUpload] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Padder:
    """Draws the simulated people of one run's chunks.

    Attributes:
        rules: Say what of a simulated person is due; the embargo holds for their keys as well.
        settings: Say how many there are.
        window: The run's window.
        now: The moment of the run.
        entropy: Where the people come from.
    """

    rules: PublicationRules
    settings: PublishingSettings
    window: Window
    now: datetime
    entropy: Entropy

    def noise(self) -> Padding:
        """Draw the people that every chunk gets, before its real keys are known."""
        padding = Padding()
        for _ in range(noise_people(self.settings.padding_noise, self.entropy)):
            # However large the draw, half of the chunk stays for the keys that people wait for.
            if len(padding.keys) < self.settings.max_keys_per_chunk // 2:
                self.add_person(padding)
        return padding

    def fill(self, padding: Padding, count: int) -> None:
        """Fill a chunk of `count` keys up to the minimum, noise not counted."""
        noise = len(padding.keys)
        room = self.settings.max_keys_per_chunk - noise
        minimum = min(self.settings.min_keys_per_chunk, room // 2)
        # A person of whom no key is due adds nothing; a table that leaves nobody any must not hang.
        for _ in range(_MAX_PEOPLE_PER_KEY * minimum):
            if count + len(padding.keys) - noise >= minimum:
                return
            self.add_person(padding)

    def add_person(self, padding: Padding) -> None:
        """Add a simulated person to `padding`.

        What waits of them is published when real keys of the same days are: its absence would tell
        how many of the people were real.
        """
        upload = simulate_upload(self.window, self.entropy)
        parts = self.rules.sort(stored_keys(upload.teks), upload.diagnosis, self.now)
        padding.keys.extend(parts.ready)
        if parts.waiting:
            teks = tuple(teks_of(parts.waiting))
            padding.leftovers.append(SimulatedUpload(teks, upload.diagnosis))


def build_file(
    keys: PackedKeys,
    *,
    window: Window,
    rules: PublicationRules,
    settings: PublishingSettings,
    signers: Sequence[Signer],
    now: datetime,
) -> bytes:
    """Write the signed file of one chunk.

    Args:
        keys: All keys of the chunk.
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
