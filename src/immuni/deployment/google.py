"""The stand-in for Google's Play Integrity, as a part of a system on one machine.

So analytics of Android phones can be tried without Google: virtual phones are attested here, and
the Analytics Service believes it. Settings of one's own, in the environment, end that.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from immuni.clock import Clock
from immuni.deployment.layout import Layout
from immuni.deployment.private_files import write_private
from immuni.entropy import Entropy
from immuni.testing.google import AndroidApp, PlayIntegrityIssuer

STANDIN_APP: Final = AndroidApp(
    "immuni.standin", hashlib.sha256(b"The certificate of virtual phones' App").digest()
)
"""What virtual phones run, as far as Google is concerned."""


@dataclass(frozen=True, slots=True)
class VirtualAttestor:
    """Attests virtual phones of Android as genuine, as their platform would have Google do.

    Attributes:
        issuer: The stand-in, with the keys that the service believes.
        clock: The stand-in's.
    """

    issuer: PlayIntegrityIssuer
    clock: Clock

    async def attest(self, nonce: bytes) -> str:
        """Return an attestation for a nonce."""
        return self.issuer.issue(nonce, STANDIN_APP, self.clock.now())


def ensure_play_integrity_keys(layout: Layout, entropy: Entropy) -> None:
    """Make the keys of the stand-in, where there are none."""
    if not layout.play_integrity_keys.exists():
        write_private(layout.play_integrity_keys, PlayIntegrityIssuer.make(entropy).private_json())


def play_integrity(layout: Layout) -> PlayIntegrityIssuer:
    """Return the stand-in, with the keys of this data folder."""
    return PlayIntegrityIssuer.read(layout.play_integrity_keys.read_bytes())


def attestation_settings(layout: Layout) -> dict[str, str]:
    """Return the settings, by name, that make the service believe the stand-in."""
    return {
        "android_attestation": "play_integrity",
        "android_package_name": STANDIN_APP.package_name,
        "android_certificate_digests": STANDIN_APP.certificate_digest.hex(),
        "play_integrity_keys": play_integrity(layout).keys_setting(),
    }
