"""Whether an Android phone's attestation vouches for its report."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from cryptography.x509 import Certificate, load_pem_x509_certificates
from prometheus_client import CollectorRegistry

from immuni.api import GoogleOperationalInfo, attestation_nonce
from immuni.api.limits import MAX_ATTESTATION_LENGTH
from immuni.backend.analytics.attestation.chain import TrustRoots
from immuni.backend.analytics.attestation.metrics import AttestationMetrics
from immuni.backend.analytics.attestation.play_integrity import PlayIntegrity
from immuni.backend.analytics.attestation.rules import (
    AcceptedApp,
    AttestationRefusedError,
    Refusal,
    require,
)
from immuni.backend.analytics.attestation.safetynet import SafetyNet
from immuni.backend.analytics.attestation.settings import AttestationSettings
from immuni.settings import SettingsError

_JWS_DOTS: Final = 2
_JWE_DOTS: Final = 4


class AndroidAttestation:
    """Verifies attestations, each in bounded time.

    Whether one was used before is not asked here: within `MAX_SKEW` to either side it passes again.

    Privacy:
        Why one was refused is counted and goes no further: whoever forges would learn from it.
    """

    def __init__(
        self,
        *,
        safetynet: SafetyNet | None,
        play_integrity: PlayIntegrity | None,
        metrics: AttestationMetrics,
    ) -> None:
        """Accept the kinds for which there is a verifier."""
        self._verifiers = {_JWS_DOTS: safetynet, _JWE_DOTS: play_integrity}
        self._metrics = metrics

    @classmethod
    def of(cls, settings: AttestationSettings, registry: CollectorRegistry) -> Self:
        """Build what the settings ask for; where they ask for nothing, it vouches for nothing.

        Raises:
            SettingsError: Something that an accepted kind needs is not set, or cannot be read.
        """
        if missing := settings.missing():
            kind = settings.android_attestation
            raise SettingsError(
                [f"{name}: not set, android_attestation = {kind} needs it" for name in missing]
            )
        app = AcceptedApp(settings.android_package_name, settings.android_certificate_digests)
        roots = settings.safetynet_trust_roots
        keys, device = settings.play_integrity_keys, settings.play_integrity_device
        return cls(
            safetynet=SafetyNet(TrustRoots(_certificates(roots)), app)
            if roots and settings.accepts_safetynet
            else None,
            play_integrity=PlayIntegrity(keys, app, device)
            if settings.accepts_play_integrity
            else None,
            metrics=AttestationMetrics(registry),
        )

    def vouches_for(self, info: GoogleOperationalInfo, *, now: datetime) -> bool:
        """Tell whether a genuine phone made this report, within minutes of now.

        Args:
            info: The report, with its attestation.
            now: The server's time.
        """
        try:
            self._verify(info, now)
        except AttestationRefusedError as refused:
            self._metrics.count(refused.refusal)
            return False
        self._metrics.count(None)
        return True

    def _verify(self, info: GoogleOperationalInfo, now: datetime) -> None:
        token = info.signed_attestation
        require(len(token) <= MAX_ATTESTATION_LENGTH, Refusal.FORM)
        # Both are compact serialisations, of three segments and of five.
        verifier = self._verifiers.get(token.count("."))
        if verifier is None:
            raise AttestationRefusedError(Refusal.KIND)
        verifier.verify(token, nonce=attestation_nonce(info, info.salt), now=now)


def _certificates(file: Path) -> Sequence[Certificate]:
    try:
        return load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError([f"safetynet_trust_roots: {file}: {error}"]) from error
