"""The form of Play Integrity's attestations: signed, then encrypted, each in one way."""

import base64
from collections.abc import Callable
from functools import cache

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey, OctKey

from immuni.api.limits import MAX_ATTESTATION_LENGTH
from immuni.backend.analytics.attestation.rules import Refusal
from immuni.entropy import SeededEntropy
from immuni.testing.google import PlayIntegrityIssuer
from tests.unit.backend.analytics.attestation.phones import (
    APP,
    GENUINE,
    NONCE,
    NOON,
    Json,
    Row,
    Service,
    base64url,
    other_spelling,
    segment,
    service,
)
from tests.unit.backend.analytics.attestation.play_integrity import ISSUER, OTHER, VERDICT, genuine

OUTER = {"alg": "A256KW", "enc": "A256GCM"}


def outer(rule: str, refusal: Refusal, header: Json, key: bytes = ISSUER.decryption_key) -> Row:
    """Return an attestation that is encrypted in another way."""

    def token() -> str:
        signed = ISSUER.sign(VERDICT)
        registry = jwe.JWERegistry(algorithms=[*ANY_ENCRYPTION], strict_check_header=False)
        return jwe.encrypt_compact(header, signed, OctKey.import_key(key), registry=registry)

    return f"encrypted with {rule}", refusal, token


ANY_ENCRYPTION = [
    "A256KW",
    "A128KW",
    "A256GCMKW",
    "dir",
    "A256GCM",
    "A128GCM",
    "A256CBC-HS512",
    "DEF",
]


def inner(rule: str, refusal: Refusal, signed: Callable[[], str | bytes]) -> Row:
    """Return an attestation with something else within."""
    return f"within: {rule}", refusal, lambda: ISSUER.encrypt(signed())


def signed_by(algorithm: str, key: ECKey | OctKey) -> str:
    payload = msgspec.json.encode(VERDICT)
    return jws.serialize_compact({"alg": algorithm}, payload, key, algorithms=[algorithm])


def with_inner_header(**members: object) -> str:
    """Return a verdict signed under a header with more members."""
    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    key = ECKey.import_key(ISSUER.signing_key)
    payload = msgspec.json.encode(VERDICT)
    return jws.serialize_compact({"alg": "ES256", **members}, payload, key, registry=registry)


def unsigned() -> str:
    parts = (msgspec.json.encode(each) for each in ({"alg": "none"}, VERDICT))
    return ".".join(map(base64url, parts)) + "."


def under_the_public_key() -> str:
    """Return a verdict whose secret is the verification key, as the setting has it."""
    secret = base64.b64decode(ISSUER.keys_setting().split(":")[1])
    return signed_by("HS256", OctKey(secret, secret))


def spoilt(rule: str, refusal: Refusal, change: Callable[[str], str]) -> Row:
    """Return a genuine attestation whose text was changed afterwards."""
    return rule, refusal, lambda: change(genuine())


def swapped() -> str:
    """Return a verdict in the wrong order: encrypted first, then signed."""
    encrypted = ISSUER.encrypt(msgspec.json.encode(VERDICT))
    return ISSUER.sign(encrypted.encode())


def shorter_tag(tag: str) -> str:
    return tag[:16]


ENCRYPTION: list[Row] = [
    outer("another key", Refusal.DECRYPTION, OUTER, bytes(32)),
    outer("alg A128KW", Refusal.HEADER, OUTER | {"alg": "A128KW"}, bytes(16)),
    outer("alg A256GCMKW", Refusal.HEADER, OUTER | {"alg": "A256GCMKW"}),
    outer("alg dir", Refusal.HEADER, OUTER | {"alg": "dir"}),
    outer("enc A128GCM", Refusal.HEADER, OUTER | {"enc": "A128GCM"}),
    outer("enc A256CBC-HS512", Refusal.HEADER, OUTER | {"enc": "A256CBC-HS512"}),
    outer("compression", Refusal.HEADER, OUTER | {"zip": "DEF"}),
    outer("an extension", Refusal.HEADER, OUTER | {"crit": ["alg"]}),
    outer("an unknown member", Refusal.HEADER, OUTER | {"other": 1}),
    (
        "under the keys of somebody else",
        Refusal.DECRYPTION,
        lambda: OTHER.issue(NONCE, APP, NOON),
    ),
    spoilt("header: alg none", Refusal.HEADER, segment(0, lambda _: base64url(b'{"alg":"none"}'))),
    spoilt(
        "header: a member twice",
        Refusal.FORM,
        segment(0, lambda _: base64url(b'{"alg":"A256KW","enc":"A256GCM","enc":"A256GCM"}')),
    ),
    spoilt(
        "header: another spelling",
        Refusal.DECRYPTION,
        segment(0, lambda _: base64url(b'{"enc":"A256GCM","alg":"A256KW"}')),
    ),
    spoilt("header: a list", Refusal.HEADER, segment(0, lambda _: base64url(b"[]"))),
    spoilt("header: deep", Refusal.FORM, segment(0, lambda _: base64url(b"[" * 5000))),
    spoilt("header: no JSON", Refusal.FORM, segment(0, lambda _: base64url(b"alg"))),
    spoilt("no key", Refusal.DECRYPTION, segment(1, lambda _: "")),
    spoilt("half a key", Refusal.DECRYPTION, segment(1, lambda text: text[:26])),
    spoilt("the key of another", Refusal.DECRYPTION, segment(1, lambda _: genuine().split(".")[1])),
    spoilt("no initialisation vector", Refusal.DECRYPTION, segment(2, lambda _: "")),
    spoilt("no ciphertext", Refusal.DECRYPTION, segment(3, lambda _: "")),
    spoilt("no tag", Refusal.DECRYPTION, segment(4, lambda _: "")),
    spoilt("a shorter tag", Refusal.DECRYPTION, segment(4, shorter_tag)),
    spoilt("another spelling of the tag", Refusal.DECRYPTION, segment(4, other_spelling)),
    spoilt("padding", Refusal.DECRYPTION, segment(4, lambda text: text + "==")),
    spoilt("a line's end", Refusal.DECRYPTION, lambda token: token + "\n"),
    spoilt("a letter beyond ASCII", Refusal.FORM, lambda token: "\u00e8" + token),
    spoilt("half a character", Refusal.DECRYPTION, segment(3, lambda text: text + "\ud800")),
    spoilt("six segments", Refusal.KIND, lambda token: token + "."),
    spoilt("four segments", Refusal.KIND, lambda token: token.rpartition(".")[0]),
    spoilt("oversized", Refusal.FORM, lambda token: token + "A" * MAX_ATTESTATION_LENGTH),
]
SIGNATURES: list[Row] = [
    ("signed and not encrypted", Refusal.KIND, lambda: ISSUER.sign(VERDICT)),
    ("encrypted first, then signed", Refusal.KIND, swapped),
    inner("no signature", Refusal.FORM, lambda: msgspec.json.encode(VERDICT)),
    inner("another encryption", Refusal.HEADER, genuine),
    inner("alg none", Refusal.HEADER, unsigned),
    inner("HS256 under the public key", Refusal.HEADER, under_the_public_key),
    inner("alg ES384", Refusal.HEADER, lambda: signed_by("ES384", ECKey.generate_key("P-384"))),
    inner("a key it brings along", Refusal.HEADER, lambda: with_inner_header(jku="https://a.it")),
    inner("an extension", Refusal.HEADER, lambda: with_inner_header(b64=True, crit=["b64"])),
    inner("another's signature", Refusal.SIGNATURE, lambda: OTHER.sign(VERDICT)),
    inner("unsigned", Refusal.SIGNATURE, lambda: segment(2, lambda _: "")(ISSUER.sign(VERDICT))),
    inner(
        "another's payload",
        Refusal.SIGNATURE,
        lambda: segment(1, lambda _: ISSUER.sign({}).split(".")[1])(ISSUER.sign(VERDICT)),
    ),
    inner("no JSON", Refusal.FORM, lambda: ISSUER.sign(b"nonce")),
    inner("a list", Refusal.FORM, lambda: ISSUER.sign(b"[]")),
    inner("deep", Refusal.FORM, lambda: ISSUER.sign(b'{"a":' * 900)),
    inner("bytes that are no text", Refusal.FORM, lambda: b"\xff\xfe"),
    inner(
        "a member twice",
        Refusal.FORM,
        lambda: ISSUER.sign(
            msgspec.json.encode(VERDICT)[:-1]
            + b',"appIntegrity":'
            + msgspec.json.encode(VERDICT["appIntegrity"])
            + b"}"
        ),
    ),
]


ROWS = [*ENCRYPTION, *SIGNATURES]


@pytest.mark.parametrize(
    ("refusal", "token"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_an_attestation_of_another_form_is_refused(
    play_integrity: Service, refusal: Refusal, token: Callable[[], str]
) -> None:
    assert play_integrity.result(token()) == refusal


def test_old_and_new_keys_both_pass_while_they_are_exchanged() -> None:
    both = service(
        android_attestation="play_integrity",
        play_integrity_keys=f"{OTHER.keys_setting()},{ISSUER.keys_setting()}",
    )

    assert both.result(genuine()) == GENUINE
    assert both.result(OTHER.issue(NONCE, APP, NOON)) == GENUINE


def test_the_two_keys_of_a_pair_go_together() -> None:
    both = service(
        android_attestation="play_integrity",
        play_integrity_keys=f"{OTHER.keys_setting()},{ISSUER.keys_setting()}",
    )

    assert both.result(OTHER.encrypt(ISSUER.sign(VERDICT))) == Refusal.SIGNATURE


@given(place=st.integers(min_value=0), digit=st.sampled_from("AZaz09-_+/=. "))
def test_no_changed_character_passes(play_integrity: Service, place: int, digit: str) -> None:
    token = genuine_once()
    place %= len(token)
    spoilt = token[:place] + digit + token[place + 1 :]

    assert spoilt == token or play_integrity.result(spoilt) != GENUINE


@given(place=st.integers(min_value=0), mask=st.integers(1, 255))
def test_no_changed_byte_within_passes(play_integrity: Service, place: int, mask: int) -> None:
    signed = bytearray(ISSUER.sign(VERDICT).encode())
    signed[place % len(signed)] ^= mask

    assert play_integrity.result(ISSUER.encrypt(bytes(signed))) != GENUINE


@given(length=st.integers(min_value=0, max_value=1000))
def test_nothing_cut_off_passes(play_integrity: Service, length: int) -> None:
    token = genuine_once()

    assert play_integrity.result(token[: length * len(token) // 1001]) != GENUINE


def test_the_stand_in_shows_no_keys() -> None:
    issuer = PlayIntegrityIssuer(
        SeededEntropy(1).token(32), ec.generate_private_key(ec.SECP256R1())
    )

    assert issuer.decryption_key.hex() not in repr(issuer)
    assert repr(issuer) == "PlayIntegrityIssuer()"


@cache
def genuine_once() -> str:
    return genuine()
