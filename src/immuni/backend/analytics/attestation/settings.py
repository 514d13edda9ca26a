"""What an operator says about the attestations of Android phones."""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from immuni.backend.analytics.attestation.play_integrity_keys import (
    PLAY_INTEGRITY_KEYS,
    PlayIntegrityKeys,
)
from immuni.backend.analytics.attestation.rules import DeviceVerdict
from immuni.settings import Kind, choice, path, setting, text

_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){31}")


class AcceptedKind(StrEnum):
    """Which attestations count."""

    NONE = "none"
    SAFETYNET = "safetynet"
    PLAY_INTEGRITY = "play_integrity"
    BOTH = "both"


def _digests(value: str) -> frozenset[bytes]:
    entries = value.split(",") if value else []
    if not all(_DIGEST.fullmatch(each) for each in entries):
        raise ValueError
    return frozenset(bytes.fromhex(each.replace(":", "")) for each in entries)


_DIGESTS: Final[Kind[frozenset[bytes]]] = Kind(
    _digests,
    "SHA-256 digests in hexadecimal, with or without colons, separated by commas",
    lambda digests: ",".join(sorted(each.hex() for each in digests)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationSettings:
    """What an Android phone vouches with."""

    android_attestation: AcceptedKind = setting(
        choice(AcceptedKind),
        default=AcceptedKind.NONE,
        meaning="Which attestations of Android phones count; with none, no report of theirs does.",
    )
    android_package_name: str = setting(
        text(
            pattern=r"(?:[A-Za-z]\w*(?:\.[A-Za-z]\w*)+)?",
            wanted="a package's name, like org.example.app",
        ),
        default="",
        meaning="Name of the App's package.",
    )
    android_certificate_digests: frozenset[bytes] = setting(
        _DIGESTS,
        default=frozenset(),
        meaning="Certificates that the App may be signed with; an App with any other is refused.",
    )
    safetynet_trust_roots: Path | None = setting(
        path(),
        default=None,
        meaning="PEM file of the root certificates that SafetyNet's chains may end at.",
    )
    play_integrity_keys: tuple[PlayIntegrityKeys, ...] = setting(
        PLAY_INTEGRITY_KEYS,
        default=(),
        secret=True,
        meaning="Keys of the App in the Play Console; several while they are exchanged.",
    )
    play_integrity_device: DeviceVerdict = setting(
        choice(DeviceVerdict),
        default=DeviceVerdict.STRONG,
        meaning="What Play Integrity must say of a device at least.",
    )

    @property
    def accepts_safetynet(self) -> bool:
        """Whether SafetyNet's attestations count."""
        return self.android_attestation in {AcceptedKind.SAFETYNET, AcceptedKind.BOTH}

    @property
    def accepts_play_integrity(self) -> bool:
        """Whether Play Integrity's attestations count."""
        return self.android_attestation in {AcceptedKind.PLAY_INTEGRITY, AcceptedKind.BOTH}

    def missing(self) -> list[str]:
        """Return the names of settings that an accepted kind needs and that are not set."""
        needed = {
            "android_package_name": self.android_attestation is not AcceptedKind.NONE,
            "android_certificate_digests": self.android_attestation is not AcceptedKind.NONE,
            "safetynet_trust_roots": self.accepts_safetynet,
            "play_integrity_keys": self.accepts_play_integrity,
        }
        return [name for name, is_needed in needed.items() if is_needed and not getattr(self, name)]
