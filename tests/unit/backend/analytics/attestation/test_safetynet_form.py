"""The form of SafetyNet's attestations: signed, in one way, and read in one way."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from immuni.api.limits import MAX_ATTESTATION_LENGTH
from immuni.backend.analytics.attestation.rules import Refusal
from immuni.testing.google import Identity
from immuni.testing.google.safetynet import der64
from tests.unit.backend.analytics.attestation.phones import (
    GENUINE,
    Json,
    Row,
    Service,
    base64url,
    other_spelling,
    segment,
)
from tests.unit.backend.analytics.attestation.safetynet import ISSUER, Draft, genuine, said


def with_header(rule: str, refusal: Refusal, /, **members: object) -> Row:
    """Return an attestation with other members in its header, under a signature over them."""

    def token() -> str:
        return signed(Draft().header | members, Draft().verdict)

    return f"header: {rule}", refusal, token


def signed(
    header: Mapping[str, object] | bytes,
    payload: Mapping[str, object] | bytes,
    key: ECKey | RSAKey | None = None,
) -> str:
    """Sign by ES256 whatever the header says, in whatever spelling."""
    parts = [
        part if isinstance(part, bytes) else msgspec.json.encode(part) for part in (header, payload)
    ]
    signing_input = ".".join(base64url(part) for part in parts)
    algorithm = jws.JWSRegistry.algorithms["ES256"]
    signature = algorithm.sign(signing_input.encode(), key or ECKey.import_key(ISSUER.host.key))  # type: ignore[arg-type]
    return f"{signing_input}.{base64url(signature)}"


def under_the_public_key() -> str:
    """Return an attestation whose secret is the public key, as those who check by HMAC have it."""
    public = ISSUER.host.key.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header, payload, _ = signed(Draft().header | {"alg": "HS256"}, Draft().verdict).split(".")
    digest = hmac.digest(secret, f"{header}.{payload}".encode(), hashlib.sha256)
    return f"{header}.{payload}.{base64url(digest)}"


def public_jwk(key: ECKey) -> Json:
    return {name: value for name, value in key.as_dict(private=False).items() if name != "kid"}


def under_a_key_of_its_own() -> str:
    own = ECKey.generate_key("P-256")
    return signed(Draft().header | {"jwk": public_jwk(own)}, Draft().verdict, own)


def spoilt(rule: str, refusal: Refusal, change: Callable[[str], str]) -> Row:
    """Return a genuine attestation whose text was changed afterwards."""
    return rule, refusal, lambda: change(genuine())


def pem64(identity: Identity) -> str:
    return base64.b64encode(identity.certificate.public_bytes(Encoding.PEM)).decode()


def spaced(identity: Identity) -> str:
    return der64(identity.certificate) + "\n"


def twice(name: str, members: Mapping[str, object]) -> bytes:
    """Return an object that has one of its members twice, with the same value."""
    text = msgspec.json.encode(members)
    return text[:-1] + b"," + msgspec.json.encode({name: members[name]})[1:]


ROWS: list[Row] = [
    with_header("alg none", Refusal.HEADER, alg="none"),
    with_header("alg ES384", Refusal.HEADER, alg="ES384"),
    with_header("alg PS256", Refusal.HEADER, alg="PS256"),
    with_header("alg in small letters", Refusal.HEADER, alg="es256"),
    with_header("no alg", Refusal.HEADER, alg=None),
    with_header("the algorithm of another key", Refusal.SIGNATURE, alg="RS256"),
    with_header("an extension", Refusal.HEADER, crit=["b64"], b64=False),
    with_header("an unknown member", Refusal.HEADER, other=1),
    with_header("a key's address", Refusal.HEADER, jku="https://example.org/keys"),
    with_header("no certificates", Refusal.CERTIFICATE, x5c=[]),
    with_header("one certificate as a text", Refusal.HEADER, x5c=der64(ISSUER.host.certificate)),
    with_header("certificates that are none", Refusal.CERTIFICATE, x5c=["AAAA", "AAAA"]),
    with_header("certificates in PEM", Refusal.CERTIFICATE, x5c=[pem64(ISSUER.host)]),
    with_header("white space in a certificate", Refusal.FORM, x5c=[spaced(ISSUER.host)]),
    with_header("a certificate not in base64", Refusal.FORM, x5c=["?"]),
    with_header("a certificate not in ASCII", Refusal.FORM, x5c=["\u00e8"]),
    with_header("half a character in a certificate", Refusal.FORM, x5c=[b"\\ud800".decode()]),
    ("HS256 under the public key", Refusal.HEADER, under_the_public_key),
    ("signed with a key that it brings along", Refusal.HEADER, under_a_key_of_its_own),
    (
        "signed with another key",
        Refusal.SIGNATURE,
        lambda: signed(Draft().header, Draft().verdict, ECKey.generate_key("P-256")),
    ),
    ("alg twice", Refusal.FORM, lambda: signed(twice("alg", Draft().header), Draft().verdict)),
    (
        "a nonce twice",
        Refusal.FORM,
        lambda: signed(Draft().header, twice("nonce", Draft().verdict)),
    ),
    ("a header that is a list", Refusal.HEADER, lambda: signed(b"[]", Draft().verdict)),
    ("a deep header", Refusal.FORM, lambda: signed(b"[" * 5000, Draft().verdict)),
    ("a payload that is no JSON", Refusal.FORM, lambda: signed(Draft().header, b"nonce")),
    ("a payload that is a list", Refusal.FORM, lambda: signed(Draft().header, b"[1]")),
    ("an empty payload", Refusal.FORM, lambda: signed(Draft().header, b"")),
    ("a deep payload", Refusal.FORM, lambda: signed(Draft().header, b'{"a":' * 900)),
    (
        "a payload in UTF-16",
        Refusal.FORM,
        lambda: signed(Draft().header, json.dumps(Draft().verdict).encode("utf-16")),
    ),
    spoilt("unsigned", Refusal.SIGNATURE, segment(2, lambda _: "")),
    spoilt("half a signature", Refusal.SIGNATURE, segment(2, lambda text: text[:43])),
    spoilt(
        "the signature of another",
        Refusal.SIGNATURE,
        segment(2, lambda _: Draft(verdict={}).token().split(".")[2]),
    ),
    spoilt(
        "the payload of another",
        Refusal.SIGNATURE,
        segment(1, lambda _: Draft(verdict={}).token().split(".")[1]),
    ),
    spoilt("another spelling of the signature", Refusal.SIGNATURE, segment(2, other_spelling)),
    spoilt("padding", Refusal.SIGNATURE, segment(2, lambda text: text + "==")),
    spoilt("padding of the header", Refusal.FORM, segment(0, lambda text: text + "=")),
    spoilt("a line's end", Refusal.SIGNATURE, lambda token: token + "\n"),
    spoilt("a space in front", Refusal.FORM, lambda token: " " + token),
    spoilt("a letter beyond ASCII", Refusal.FORM, lambda token: "\u00e8" + token),
    spoilt("half a character", Refusal.SIGNATURE, segment(1, lambda text: text + "\ud800")),
    spoilt("two segments", Refusal.KIND, lambda token: token.rpartition(".")[0]),
    spoilt("four segments", Refusal.KIND, lambda token: token + "."),
    spoilt("nothing", Refusal.KIND, lambda _: ""),
    spoilt("oversized", Refusal.FORM, lambda token: token + "A" * MAX_ATTESTATION_LENGTH),
    said("oversized, and signed", Refusal.FORM, other="x" * MAX_ATTESTATION_LENGTH),
]


@pytest.mark.parametrize(
    ("refusal", "token"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_an_attestation_of_another_form_is_refused(
    safetynet: Service, refusal: Refusal, token: Callable[[], str]
) -> None:
    assert safetynet.result(token()) == refusal


@given(place=st.integers(min_value=0), digit=st.sampled_from("AZaz09-_+/=. "))
def test_no_changed_character_passes(safetynet: Service, place: int, digit: str) -> None:
    token = genuine_once()
    place %= len(token)
    changed = token[:place] + digit + token[place + 1 :]

    assert changed == token or safetynet.result(changed) != GENUINE


@given(length=st.integers(min_value=0, max_value=1000))
def test_nothing_cut_off_passes(safetynet: Service, length: int) -> None:
    token = genuine_once()

    assert safetynet.result(token[: length * len(token) // 1001]) != GENUINE


@given(text=st.text(max_size=200), dots=st.integers(0, 5))
def test_no_text_passes_and_none_breaks_the_service(
    safetynet: Service, text: str, dots: int
) -> None:
    assert safetynet.result(text + "." * dots) != GENUINE


@cache
def genuine_once() -> str:
    return genuine()
