"""Google's attestations of Android phones, issued under roots and keys of the stand-in's own."""

from immuni.testing.google.app import AndroidApp
from immuni.testing.google.certificates import Identity, Validity, issue
from immuni.testing.google.play_integrity import PlayIntegrityIssuer
from immuni.testing.google.safetynet import SafetyNetIssuer

__all__ = [
    "AndroidApp",
    "Identity",
    "PlayIntegrityIssuer",
    "SafetyNetIssuer",
    "Validity",
    "issue",
]
