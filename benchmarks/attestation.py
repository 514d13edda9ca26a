"""Verifying attestations of Android phones, against bare signatures on the same machine.

A sender chooses what is verified: the last figures are of attestations that are refused, the
dearest that were found. Run it with

    .venv/bin/python benchmarks/attestation.py [--times N] [--json]
"""

import argparse
import json
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from prometheus_client import CollectorRegistry

from immuni.api import attestation_nonce, examples
from immuni.backend.analytics.attestation.android import AndroidAttestation
from immuni.backend.analytics.attestation.settings import AttestationSettings
from immuni.entropy import SystemEntropy
from immuni.settings import Source, read_settings
from immuni.testing.google import AndroidApp, PlayIntegrityIssuer, SafetyNetIssuer, Validity, issue
from immuni.testing.google.safetynet import HOST, der64

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)
APP = AndroidApp("it.example.app", bytes(32))
INFO = examples.GOOGLE_INFO
NONCE = attestation_nonce(INFO, INFO.salt)
SAFETYNET = SafetyNetIssuer.make(NOON)
PLAY_INTEGRITY = PlayIntegrityIssuer.make(SystemEntropy())
BARE = "one bare signature (ES256)"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=300)
    parser.add_argument("--json", action="store_true", help="print one object")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(service(Path(folder) / "roots.pem"), arguments.times)
    print(json.dumps(figures) if arguments.json else lines(figures))


def measured(attestation: AndroidAttestation, times: int) -> dict[str, float]:
    """Return the processor time of each, in µs."""
    figures = {BARE: microseconds(bare_signature(), times)}
    for tokens, is_genuine in ((genuine(), True), (refused(), False)):
        for name, token in tokens.items():
            sent = msgspec.structs.replace(INFO, signed_attestation=token)
            if attestation.vouches_for(sent, now=NOON) != is_genuine:
                raise SystemExit(f"{name}: not as it should be")
            figures[name] = microseconds(partial(attestation.vouches_for, sent, now=NOON), times)
    return figures


def genuine() -> dict[str, str]:
    """Return attestations that vouch for their report."""
    key = rsa.generate_private_key(65537, 2048)
    host = issue(
        HOST, issuer=SAFETYNET.intermediate, validity=Validity.around(NOON), key=key, hosts=[HOST]
    )
    by_rsa = SafetyNetIssuer(SAFETYNET.root, SAFETYNET.intermediate, host)
    return {
        "Play Integrity": PLAY_INTEGRITY.issue(NONCE, APP, NOON),
        "SafetyNet, ES256": SAFETYNET.issue(NONCE, APP, NOON),
        "SafetyNet, RS256": by_rsa.issue(NONCE, APP, NOON),
    }


def refused() -> dict[str, str]:
    """Return attestations that vouch for nothing."""
    foreign = PlayIntegrityIssuer.make(SystemEntropy())
    deep = urlsafe_b64encode(b"[" * 7000).decode().rstrip("=")
    return {
        "refused: under other keys": foreign.issue(NONCE, APP, NOON),
        "refused: a chain on P-384": long_chain(
            [ec.generate_private_key(ec.SECP384R1()) for _ in "1234"]
        ),
        "refused: a chain of RSA, 4 096 bits": long_chain(
            [rsa.generate_private_key(65537, 4096) for _ in "1234"]
        ),
        "refused: a deep header": f"{deep}..",
    }


def long_chain(keys: Sequence[ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey]) -> str:
    """Return an attestation with a valid chain to a root that nobody trusts, which is not in it."""
    validity = Validity.around(NOON)
    above = issue("root", issuer=None, validity=validity, key=keys[0], is_authority=True)
    chain = []
    for number, key in enumerate(keys[1:]):
        above = issue(f"{number}", issuer=above, validity=validity, key=key, is_authority=True)
        chain.append(above)
    host = issue(HOST, issuer=above, validity=validity, hosts=[HOST])
    header = {"alg": "ES256", "x5c": [der64(each.certificate) for each in (host, *chain[::-1])]}
    issuer = SafetyNetIssuer(SAFETYNET.root, SAFETYNET.intermediate, host)
    return issuer.sign(issuer.verdict(NONCE, APP, NOON), header)


def bare_signature() -> Callable[[], object]:
    """Return the check of one signature and nothing else."""
    key = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(SHA256())
    return partial(key.public_key().verify, key.sign(NONCE, algorithm), NONCE, algorithm)


def service(roots: Path) -> AndroidAttestation:
    """Return a verifier that believes both stand-ins."""
    roots.write_bytes(SAFETYNET.root_pem())
    texts = {
        "android_attestation": "both",
        "android_package_name": APP.package_name,
        "android_certificate_digests": APP.certificate_digest.hex(),
        "safetynet_trust_roots": str(roots),
        "play_integrity_keys": PLAY_INTEGRITY.keys_setting(),
    }
    settings = read_settings(AttestationSettings, Source(texts, texts))
    return AndroidAttestation.of(settings, CollectorRegistry())


def microseconds(work: Callable[[], object], times: int) -> float:
    """Return the processor time of one piece of work: the least of several rounds."""
    rounds = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - begun) / times)
    return round(min(rounds) * 1e6, 1)


def lines(figures: dict[str, float]) -> str:
    """Return the figures for people."""
    bare = figures[BARE]
    return "\n".join(f"{name}: {us:,.0f} µs, × {us / bare:.1f}" for name, us in figures.items())


if __name__ == "__main__":
    main()
