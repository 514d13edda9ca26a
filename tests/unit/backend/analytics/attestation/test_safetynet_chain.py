"""The certificates in SafetyNet's attestations: only a valid chain to a trusted root passes."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from math import gcd, lcm
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.analytics.attestation.chain import TrustRoots
from immuni.backend.analytics.attestation.reading import from_base64url
from immuni.backend.analytics.attestation.rules import AcceptedApp, AttestationRefusedError, Refusal
from immuni.backend.analytics.attestation.safetynet import SafetyNet
from immuni.testing.google import Identity, SafetyNetIssuer, Validity, issue
from immuni.testing.google.safetynet import HOST, der64
from tests.unit.backend.analytics.attestation.phones import (
    APP,
    GENUINE,
    NONCE,
    NOON,
    Json,
    Row,
    Service,
)
from tests.unit.backend.analytics.attestation.safetynet import ISSUER, Draft

YEARS = Validity.around(NOON)
PAST = Validity(NOON - timedelta(days=90), NOON - timedelta(seconds=1))
FUTURE = Validity(NOON + timedelta(seconds=1), NOON + timedelta(days=90))


def chained(rule: str, chain: Callable[[], list[Identity]]) -> Row:
    """Return a verdict that comes with other certificates, signed with the first one's key."""

    def token() -> str:
        identities = chain()
        signer = SafetyNetIssuer(ISSUER.root, ISSUER.intermediate, identities[0])
        header = signer.header() | {"x5c": [der64(each.certificate) for each in identities]}
        return signer.sign(ISSUER.verdict(NONCE, APP, NOON), header)

    return rule, Refusal.CERTIFICATE, token


def host(**changes: Any) -> Identity:  # noqa: ANN401 - what `issue` takes
    """Return a certificate like the host's, changed in one place."""
    usual: Json = {"issuer": ISSUER.intermediate, "validity": YEARS, "hosts": [HOST]}
    return issue(changes.pop("subject", HOST), **(usual | changes))


def authority(subject: str = "Stand-in CA", **changes: Any) -> Identity:  # noqa: ANN401 - as above
    """Return a certificate like the intermediate one, changed in one place."""
    usual: Json = {"issuer": ISSUER.root, "validity": YEARS, "is_authority": True}
    return issue(subject, **(usual | changes))


def below(between: Identity, *more: Identity) -> list[Identity]:
    """Return a chain with a host's certificate that `between` signed."""
    return [host(issuer=between), between, *more]


def five_certificates() -> list[Identity]:
    first = authority("first")
    second = authority("second", issuer=first)
    third = authority("third", issuer=second)
    return [host(issuer=third), third, second, first, ISSUER.root]


def impostor() -> SafetyNetIssuer:
    """Return an issuer with the same names, and keys of its own."""
    return SafetyNetIssuer.make(NOON)


def costly() -> rsa.RSAPrivateKey:
    """Return a key whose exponent is as long as itself, so that it is as slow as it can be."""
    usual = rsa.generate_private_key(65537, 2048).private_numbers()
    order = lcm(usual.p - 1, usual.q - 1)
    exponent = next(e for e in range(2**2040 + 1, 2**2041, 2) if gcd(e, order) == 1)
    return key_of(usual.p, usual.q, exponent)


def long() -> rsa.RSAPrivateKey:
    """Return a key of 4 484 bits, of two primes that need not be searched for."""
    return key_of(2**2203 - 1, 2**2281 - 1, 65537)


def key_of(p: int, q: int, exponent: int) -> rsa.RSAPrivateKey:
    inverse = pow(exponent, -1, lcm(p - 1, q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=inverse,
        dmp1=inverse % (p - 1),
        dmq1=inverse % (q - 1),
        iqmp=pow(q, -1, p),
        public_numbers=rsa.RSAPublicNumbers(exponent, p * q),
    ).private_key(unsafe_skip_rsa_key_validation=True)


def on(curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve)


def weak() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505 - must be refused


ROWS = [
    chained("expired host", lambda: [host(validity=PAST), ISSUER.intermediate]),
    chained("host not valid yet", lambda: [host(validity=FUTURE), ISSUER.intermediate]),
    chained("expired authority", lambda: below(authority(validity=PAST))),
    chained("authority not valid yet", lambda: below(authority(validity=FUTURE))),
    chained("another host", lambda: [host(hosts=["android.com"]), ISSUER.intermediate]),
    chained("a host below ours", lambda: [host(hosts=[f"a.{HOST}"]), ISSUER.intermediate]),
    chained("the host's name as the subject only", lambda: [host(hosts=[]), ISSUER.intermediate]),
    chained(
        "for clients",
        lambda: [host(usage=ExtendedKeyUsageOID.CLIENT_AUTH), ISSUER.intermediate],
    ),
    chained("another root", lambda: [(other := impostor()).host, other.intermediate]),
    chained(
        "another root, which is sent along",
        lambda: [(other := impostor()).host, other.intermediate, other.root],
    ),
    chained(
        "the genuine authority below a host that it did not sign",
        lambda: [impostor().host, ISSUER.intermediate],
    ),
    chained("no authority", lambda: [ISSUER.host]),
    chained("an authority that is none", lambda: below(authority(is_authority=False))),
    chained(
        "the host as authority",
        lambda: [host(subject="another", issuer=ISSUER.host), *genuine_chain()],
    ),
    chained("signed by itself", lambda: [host(issuer=None)]),
    chained("the authority first", lambda: [ISSUER.intermediate, ISSUER.host]),
    chained("the authority for a host", lambda: [ISSUER.intermediate]),
    chained("the root for a host", lambda: [ISSUER.root]),
    chained("one of them twice", lambda: [*genuine_chain(), ISSUER.intermediate]),
    chained("five of them", five_certificates),
    chained("an authority for some names", lambda: below(authority(constrained_to=[HOST]))),
    chained("a weak key", lambda: below(authority(key=weak()))),
    chained("a costly key", lambda: below(authority(key=costly()))),
    chained("a long key", lambda: below(authority(key=long()))),
]


def genuine_chain() -> list[Identity]:
    return [ISSUER.host, ISSUER.intermediate]


@pytest.mark.parametrize(
    ("refusal", "token"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_no_other_chain_than_a_valid_one_passes(
    safetynet: Service, refusal: Refusal, token: Callable[[], str]
) -> None:
    assert safetynet.result(token()) == refusal


@pytest.mark.parametrize(
    "chain",
    [
        lambda: [host(), ISSUER.intermediate],
        lambda: [host(subject="another"), ISSUER.intermediate],
        lambda: below(authority()),
        lambda: below(authority(key=on(ec.SECP384R1()))),
        lambda: below(authority(key=rsa.generate_private_key(65537, 2048))),
        lambda: below(authority("first", issuer=ISSUER.intermediate), ISSUER.intermediate),
    ],
)
def test_chains_that_are_made_like_these_and_differ_in_nothing_pass(
    safetynet: Service, chain: Callable[[], list[Identity]]
) -> None:
    _, _, token = chained("valid", chain)

    assert safetynet.result(token()) == GENUINE


def test_certificates_are_valid_to_their_last_second(safetynet: Service) -> None:
    ends_now = Validity(NOON - timedelta(days=1), NOON)
    chain = [host(validity=ends_now), ISSUER.intermediate]
    signer = SafetyNetIssuer(ISSUER.root, ISSUER.intermediate, chain[0])

    assert safetynet.result(signer.issue(NONCE, APP, NOON)) == GENUINE
    assert (
        safetynet.result(signer.issue(NONCE, APP, NOON), now=NOON + timedelta(seconds=1))
        == Refusal.CERTIFICATE
    )


def test_a_signature_by_rsa_passes(safetynet: Service) -> None:
    by_rsa = host(key=rsa.generate_private_key(65537, 2048))
    signer = SafetyNetIssuer(ISSUER.root, ISSUER.intermediate, by_rsa)

    assert signer.header()["alg"] == "RS256"
    assert safetynet.result(signer.issue(NONCE, APP, NOON)) == GENUINE


def test_the_root_may_be_sent_along(safetynet: Service) -> None:
    header = ISSUER.header()
    header["x5c"].append(der64(ISSUER.root.certificate))

    assert safetynet.result(ISSUER.sign(Draft().verdict, header)) == GENUINE


@given(place=st.integers(min_value=0), mask=st.integers(1, 255), number=st.integers(0, 1))
def test_no_changed_byte_of_what_was_certified_passes(
    safetynet: Service, place: int, mask: int, number: int
) -> None:
    header = ISSUER.header()
    der = bytearray(base64.b64decode(header["x5c"][number]))
    # The signature itself has two spellings, one of which no encoder makes.
    certified = load_der_x509_certificate(bytes(der)).tbs_certificate_bytes
    der[der.index(certified) + place % len(certified)] ^= mask
    header["x5c"][number] = base64.b64encode(der).decode()

    assert safetynet.result(ISSUER.sign(Draft().verdict, header)) == Refusal.CERTIFICATE


VECTOR = json.loads(
    (Path(__file__).parents[4] / "vectors" / "safetynet-2018.json").read_text(encoding="utf-8")
)
GMS = AcceptedApp(
    "com.google.android.gms",
    frozenset({base64.b64decode("8P1sW0EPJcslw7UzRsiXL64w+O50Ed+RBICtay1g24M=")}),
)
GOOGLES = SafetyNet(TrustRoots([load_der_x509_certificate(base64.b64decode(VECTOR["root"]))]), GMS)
SIGNED_AT = NOON.replace(year=2018, month=11, day=29, hour=9, minute=9, second=28)


def test_what_google_signed_in_2018_is_read() -> None:
    verdict = GOOGLES.signed_verdict(VECTOR["token"], SIGNED_AT)

    assert verdict.timestamp_ms == round(SIGNED_AT.timestamp() * 1000) + 858
    assert verdict.apk_package_name == GMS.package_name
    assert verdict.basic_integrity
    assert verdict.cts_profile_match


def test_an_authority_may_be_trusted_in_the_place_of_its_root() -> None:
    header = json.loads(from_base64url(VECTOR["token"].partition(".")[0]))
    authority_of_google = load_der_x509_certificate(base64.b64decode(header["x5c"][1]))

    verdict = SafetyNet(TrustRoots([authority_of_google]), GMS).signed_verdict(
        VECTOR["token"], SIGNED_AT
    )

    assert verdict == GOOGLES.signed_verdict(VECTOR["token"], SIGNED_AT)


def test_what_google_signed_in_2018_does_not_pass_for_it_says_nothing_of_hardware() -> None:
    nonce = base64.b64decode("zb5Q94UOhqNZtUQa+if46quP4pefP7bgAdiCxkh1YDk=")

    with pytest.raises(AttestationRefusedError) as refused:
        GOOGLES.verify(VECTOR["token"], nonce=nonce, now=SIGNED_AT)

    assert refused.value.refusal == Refusal.DEVICE


def test_what_google_signed_in_2018_is_refused_once_its_certificate_has_expired() -> None:
    with pytest.raises(AttestationRefusedError) as refused:
        GOOGLES.signed_verdict(VECTOR["token"], SIGNED_AT.replace(year=2020))

    assert refused.value.refusal == Refusal.CERTIFICATE
