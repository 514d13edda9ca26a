from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from immuni.portal.oidc.failures import ProviderError, Reason
from immuni.portal.oidc.providers import Provider
from immuni.portal.oidc.rules import (
    ALGORITHMS,
    Flow,
    Identity,
    Tokens,
    code_of,
    identity_of,
    key_id_of,
    usable_keys,
)
from immuni.portal.signing_in.session import CookieSecret

NOW: Final = datetime(2020, 6, 20, 10, tzinfo=UTC)
SECONDS: Final = int(NOW.timestamp())
ISSUER: Final = "https://id.example"
FLOW: Final = Flow(CookieSecret(bytes(32)))
KEY: Final = ECKey.generate_key("P-256", {"kid": "first"})


def provider(
    *,
    amr: frozenset[str] = frozenset(),
    acr: frozenset[str] = frozenset(),
    max_age: timedelta | None = None,
) -> Provider:
    return Provider(
        name="region",
        title="Region",
        issuer=ISSUER,
        client_id="portal",
        client_secret="x" * 16,
        second_factor_amr=amr,
        second_factor_acr=acr,
        max_age=max_age,
    )


def identity(known: Provider, **claims: object) -> Identity:
    whole = {
        "iss": ISSUER,
        "sub": "anna",
        "aud": "portal",
        "exp": SECONDS + 60,
        "iat": SECONDS,
        "nonce": FLOW.nonce,
        **claims,
    }
    token = jwt.encode({"alg": "ES256", "kid": "first"}, whole, KEY)
    return identity_of(Tokens(token), KeySet([KEY]), known, FLOW, now=NOW)


def test_what_must_be_unguessable_is_different_each_time_and_for_each_use() -> None:
    other = Flow(CookieSecret(bytes(31) + b"\1"))
    texts = [
        text for flow in (FLOW, other) for text in (flow.state, flow.nonce, flow.code_verifier)
    ]

    assert len(set(texts)) == 6
    assert all(len(text) == 43 for text in texts)
    assert FLOW.cookie.text not in texts


def test_two_factors_are_what_the_settings_say_that_they_are() -> None:
    known = provider(amr=frozenset({"mfa"}), acr=frozenset({"strong"}))

    assert identity(known, amr=["pwd", "mfa"]).two_factors
    assert identity(known, acr="strong").two_factors
    assert not identity(known, amr=["pwd", "otp"], acr="weak").two_factors
    assert not identity(known).two_factors
    assert not identity(provider(), amr=["mfa"], acr="strong").two_factors


def test_who_signed_in_at_the_provider_too_long_ago_does_it_again() -> None:
    known = provider(max_age=timedelta(hours=1))

    assert identity(known, auth_time=SECONDS - 3660).subject == "anna"
    for claims, reason in (
        ({"auth_time": SECONDS - 3661}, Reason.REFUSED),
        ({"auth_time": float("nan")}, Reason.REFUSED),
        ({}, Reason.NOT_TRUSTED),
    ):
        with pytest.raises(ProviderError) as caught:
            identity(known, **claims)
        assert caught.value.reason is reason


def test_no_algorithm_goes_without_a_private_key() -> None:
    assert "none" not in ALGORITHMS
    assert not any(name.startswith("HS") for name in ALGORITHMS)


def test_keys_that_cannot_verify_a_token_are_passed_over() -> None:
    good = [KEY.as_dict(private=False), RSAKey.generate_key(2048).as_dict(private=False)]
    bad = [
        OctKey.generate_key(256).as_dict(),
        {**KEY.as_dict(private=False), "use": "enc"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "AKP", "pub": "x"},
        {},
        "key",
        None,
    ]

    keys = usable_keys([*bad, *good])

    assert [key.key_type for key in keys] == ["EC", "RSA"]


def test_the_answer_must_be_to_the_question_and_from_whom_was_asked() -> None:
    right = f"code=x&state={FLOW.state}"
    assert code_of(right, FLOW, issuer=ISSUER, names_issuer=False) == "x"
    assert code_of(f"{right}&iss={ISSUER}", FLOW, issuer=ISSUER, names_issuer=True) == "x"

    for query, names_issuer, reason in (
        ("", False, Reason.STALE),
        ("code=x", False, Reason.STALE),
        ("code=x&state=%C3%A8", False, Reason.STALE),
        (f"{right}&code=y", False, Reason.STALE),
        ("&".join("abcdefghijklmnopqrstuvwxyz"), False, Reason.STALE),
        ("error=access_denied&state=x", False, Reason.STALE),
        (right, True, Reason.NOT_TRUSTED),
        (f"{right}&iss={ISSUER}/", False, Reason.NOT_TRUSTED),
        (f"{right}&iss=", False, Reason.NOT_TRUSTED),
        (f"state={FLOW.state}", False, Reason.NOT_TRUSTED),
        (f"state={FLOW.state}&error=access_denied", False, Reason.CANCELLED),
    ):
        with pytest.raises(ProviderError) as caught:
            code_of(query, FLOW, issuer=ISSUER, names_issuer=names_issuer)
        assert caught.value.reason is reason, query


def test_what_is_no_token_has_no_key() -> None:
    for text in ("", "a.b.c", "a", "..", "é.é.é", "x" * 100_000):
        with pytest.raises(ProviderError):
            key_id_of(text)


def test_no_token_is_shown() -> None:
    assert "secret" not in repr(Tokens("secret", "secret"))
    assert "anna" not in repr(identity(provider()))
