"""What is asked of a provider, and what of its answers is believed.

Source:
    OpenID Connect Core 1.0, 3.1 (code flow) and 3.1.3.7 (validation); RFC 7636 (PKCE); RFC 9207
    (issuer in the answer); RFC 9700 (best current practice); RFC 8725 (algorithms are pinned).
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final
from urllib.parse import parse_qsl

import msgspec

# Authlib comes without types.
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri  # type: ignore[import-untyped]
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from immuni.portal.oidc.failures import ProviderError, Reason
from immuni.portal.oidc.providers import Provider
from immuni.portal.signing_in.session import CookieSecret

FLOW_LIFETIME: Final = timedelta(minutes=10)
"""How long somebody may take at the provider."""
ALGORITHMS: Final = (
    *("ES256", "ES384", "ES512"),
    *("PS256", "PS384", "PS512"),
    *("RS256", "RS384", "RS512"),
)
"""All with a private key that only the provider has: neither ``none`` nor a shared secret."""
LEEWAY: Final = timedelta(seconds=60)
"""How far the clocks of the two may be apart."""
_MIN_RSA_BITS: Final = 2048
_MAX_FIELDS: Final = 20


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to a provider and back, in one browser.

    All that must be unguessable comes from one secret that only a cookie of the browser holds: so
    whoever comes back with the right state has begun there, and the database holds no secret.
    """

    cookie: CookieSecret

    @property
    def state(self) -> str:
        """What the provider hands back beside the code."""
        return self._derived(b"state")

    @property
    def nonce(self) -> str:
        """What the provider puts into the token."""
        return self._derived(b"nonce")

    @property
    def code_verifier(self) -> str:
        """By what the provider knows that whoever redeems a code has asked for it."""
        return self._derived(b"code verifier")

    def _derived(self, label: bytes) -> str:
        digest = hmac.digest(self.cookie.secret, b"immuni portal provider " + label, "sha256")
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody, as a provider knows them.

    Attributes:
        issuer: Which provider.
        subject: By what it tells its people apart; never anybody else's.
        two_factors: Whether what they did there counts as two factors here.
    """

    issuer: str
    subject: str = field(repr=False)
    two_factors: bool


class Tokens(msgspec.Struct, frozen=True):
    """What a provider hands out for a code; none of it outlives the sign-in."""

    id_token: str
    access_token: str = ""

    def __repr__(self) -> str:
        """Show no token."""
        return "Tokens()"


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims of an ID Token, as far as they mean something here."""

    iss: str
    sub: Annotated[str, msgspec.Meta(pattern=r"^[\x20-\x7e]{1,255}\Z")]
    aud: str | list[str]
    exp: float
    iat: float
    nonce: str
    azp: str = ""
    at_hash: str = ""
    acr: str = ""
    amr: list[str] = msgspec.field(default_factory=list)
    auth_time: float | None = None


def authorization_url(endpoint: str, provider: Provider, flow: Flow, *, redirect_uri: str) -> str:
    """Return where a browser is sent."""
    asked = {} if provider.max_age is None else {"max_age": int(provider.max_age.total_seconds())}
    url: str = prepare_grant_uri(
        endpoint,
        client_id=provider.client_id,
        response_type="code",
        redirect_uri=redirect_uri,
        scope=" ".join(provider.scopes),
        state=flow.state,
        nonce=flow.nonce,
        code_challenge=create_s256_code_challenge(flow.code_verifier),
        code_challenge_method="S256",
        **asked,
    )
    return url


def code_of(query: str, flow: Flow, *, issuer: str, names_issuer: bool) -> str:
    """Return the code with which a browser came back.

    Args:
        query: What stood in the address, as it came.
        flow: What was begun in this browser.
        issuer: Who was asked.
        names_issuer: Whether that provider says that its answers name it.

    Raises:
        ProviderError: STALE where the answer is to another question; NOT_TRUSTED where another
            provider gave it; CANCELLED, REFUSED or UNREACHABLE where the provider says so.
    """
    answer = _answer(query)
    if not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
        raise ProviderError(Reason.STALE, "the state is not that of this browser")
    named = answer.get("iss")
    if named != issuer and (named is not None or names_issuer):
        raise ProviderError(Reason.NOT_TRUSTED, "another provider answered")
    if "error" in answer:
        raise ProviderError(_reason_of(answer["error"]), "the provider sent an error")
    if not answer.get("code"):
        raise ProviderError(Reason.NOT_TRUSTED, "the provider sent no code")
    return answer["code"]


def _answer(query: str) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise ProviderError(Reason.STALE, "the answer has too many fields") from error
    answer = dict(pairs)
    if len(answer) != len(pairs):
        raise ProviderError(Reason.STALE, "a field of the answer is there twice")
    return answer


def _reason_of(error: str) -> Reason:
    if error == "access_denied":
        return Reason.CANCELLED
    if error in ("server_error", "temporarily_unavailable"):
        return Reason.UNREACHABLE
    return Reason.REFUSED


def usable_keys(keys: Sequence[object]) -> KeySet:
    """Return those keys of a set that can verify an ID Token; the others are passed over.

    A shared secret is never among them: a public key cannot be passed off as one.
    """
    return KeySet([key for each in keys if (key := _usable_key(each)) is not None])


def _usable_key(data: object) -> Key | None:
    if not isinstance(data, dict) or data.get("use", "sig") != "sig":
        return None
    try:
        if data.get("kty") == "EC":
            return ECKey.import_key(data)
        if data.get("kty") == "RSA":
            key = RSAKey.import_key(data)
            return key if key.public_key.key_size >= _MIN_RSA_BITS else None
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def key_id_of(id_token: str) -> str | None:
    """Return the name of the key with which a token says that it was signed.

    Raises:
        ProviderError: NOT_TRUSTED where it is no token.
    """
    try:
        kid = jws.extract_compact(id_token.encode()).headers().get("kid")
    except (JoseError, ValueError) as error:
        raise ProviderError(Reason.NOT_TRUSTED, "the ID Token is malformed") from error
    return kid if isinstance(kid, str) else None


def identity_of(
    tokens: Tokens, keys: KeySet, provider: Provider, flow: Flow, *, now: datetime
) -> Identity:
    """Return who somebody is, once everything about their ID Token fits.

    Raises:
        ProviderError: NOT_TRUSTED where signature, algorithm, issuer, audience, authorised party,
            times, nonce or the hash of the access token do not; REFUSED where they showed the
            provider too long ago who they are.
    """
    seconds = int(now.timestamp())
    try:
        token = jwt.decode(tokens.id_token, keys, algorithms=ALGORITHMS)
        claims = msgspec.convert(token.claims, _Claims)
        CodeIDToken(
            token.claims,
            token.header,
            options={"iss": {"essential": True, "value": provider.issuer}},
            params={
                "nonce": flow.nonce,
                "client_id": provider.client_id,
                "access_token": tokens.access_token,
            },
        ).validate(now=seconds, leeway=int(LEEWAY.total_seconds()))
    except (JoseError, ValueError) as error:
        raise ProviderError(Reason.NOT_TRUSTED, f"ID Token: {type(error).__name__}") from error
    # A token that is for others too could be handed on by any of them.
    if claims.aud not in (provider.client_id, [provider.client_id]):
        raise ProviderError(Reason.NOT_TRUSTED, "the ID Token is not for this portal alone")
    _demand_fresh(claims, provider, seconds)
    return Identity(claims.iss, claims.sub, two_factors=_shows_two_factors(claims, provider))


def _demand_fresh(claims: _Claims, provider: Provider, now: int) -> None:
    if provider.max_age is None:
        return
    if claims.auth_time is None:
        raise ProviderError(Reason.NOT_TRUSTED, "the ID Token does not tell when they signed in")
    # Written so that what is not a number counts as too long ago.
    if not claims.auth_time + (provider.max_age + LEEWAY).total_seconds() >= now:
        raise ProviderError(Reason.REFUSED, "they signed in at the provider too long ago")


def _shows_two_factors(claims: _Claims, provider: Provider) -> bool:
    return (
        not provider.second_factor_amr.isdisjoint(claims.amr)
        or claims.acr in provider.second_factor_acr
    )
