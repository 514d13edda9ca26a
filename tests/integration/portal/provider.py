"""An OpenID provider that lies wherever a test wants it to."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from immuni.clock import SystemClock
from immuni.portal.oidc.providers import Provider
from tests.integration.portal.serving import free_socket, listening

CLIENT: Final = "the portal"
SECRET: Final = "between: the portal & its provider"
NAME: Final = "emilia-romagna"
TITLE: Final = "Regione Emilia-Romagna"
PATIENCE_SECONDS: Final = 60


@dataclass
class LyingProvider:
    """What it says, and what it was asked.

    Attributes:
        origin: Where it is; also its issuer.
        keys: With which it signs (the first), and what it publishes.
        described: What it says of itself instead of the truth.
        claims: What its tokens say instead of the truth; None leaves a claim out.
        tokens: What it answers for a code instead of the truth.
        signed: Makes an ID Token of claims, instead of signing them honestly.
        padding: How many bytes that mean nothing follow on its tokens.
        released: Cleared while it answers nobody.
        asked: The paths that it was asked for.
    """

    origin: str
    keys: list[RSAKey] = field(default_factory=lambda: [new_key("first")])
    described: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    tokens: Response | None = None
    signed: Any = None
    padding: int = 0
    now: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    requests: dict[str, Mapping[str, str]] = field(default_factory=dict)
    codes: Iterator[int] = field(default_factory=count)

    def reset(self) -> None:
        """Be honest again."""
        self.described, self.claims, self.tokens, self.signed = {}, {}, None, None
        self.padding = 0
        self.released.set()

    def as_provider(
        self,
        *,
        name: str = NAME,
        path: str = "",
        max_age: timedelta | None = None,
        second_factor_amr: frozenset[str] = frozenset(),
    ) -> Provider:
        """Return how the portal knows it."""
        return Provider(
            name=name,
            title=TITLE,
            issuer=self.origin + path,
            client_id=CLIENT,
            client_secret=SECRET,
            max_age=max_age,
            second_factor_amr=second_factor_amr,
        )

    def answer(self, way: str, **changes: str) -> str:
        """Let somebody sign in who was sent here, and return the query with which they go back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(way).query).items()}
        code = f"code {next(self.codes)}"
        self.requests[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.origin, **changes}
        return urlencode({name: value for name, value in answer.items() if value})

    def app(self) -> Starlette:
        """Return it as an application."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/keys", self._publish),
                Route("/token", self._redeem, methods=["POST"]),
            ]
        )

    async def _describe(self, request: Request) -> Response:
        await self._note(request)
        description = {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "jwks_uri": f"{self.origin}/keys",
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse({**description, **self.described})

    async def _publish(self, request: Request) -> Response:
        await self._note(request)
        return JSONResponse(KeySet(list(self.keys)).as_dict(private=False))

    async def _redeem(self, request: Request) -> Response:
        await self._note(request)
        form = dict(parse_qsl((await request.body()).decode()))
        scheme, _, login = request.headers["authorization"].partition(" ")
        name, _, secret = base64.b64decode(login).decode().partition(":")
        assert (scheme, unquote_plus(name), unquote_plus(secret)) == ("Basic", CLIENT, SECRET)
        if self.tokens is not None:
            return self.tokens
        asked = self.requests.pop(form["code"], None)
        if asked is None or not _fits(form, asked):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        access_token = "an access token"
        claims = self._claims(asked, access_token)
        sign = self.signed or self._sign
        tokens = json.dumps({"id_token": sign(claims), "access_token": access_token})
        return Response(tokens + " " * self.padding, media_type="application/json")

    def _claims(self, asked: Mapping[str, str], access_token: str) -> dict[str, Any]:
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        truth = {
            "iss": self.origin,
            "sub": "8a1f",
            "aud": CLIENT,
            "exp": self.now + 300,
            "iat": self.now,
            "auth_time": self.now,
            "nonce": asked["nonce"],
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
        }
        claims = {**truth, **self.claims}
        return {name: value for name, value in claims.items() if value is not None}

    def _sign(self, claims: dict[str, Any]) -> str:
        key = self.keys[0]
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])

    async def _note(self, request: Request) -> None:
        self.asked.append(request.url.path)
        await asyncio.wait_for(self.released.wait(), PATIENCE_SECONDS)


def new_key(name: str) -> RSAKey:
    """Return a key pair of that name."""
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig"})


def _fits(form: Mapping[str, str], asked: Mapping[str, str]) -> bool:
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return (
        asked["code_challenge_method"] == "S256"
        and asked["code_challenge"] == challenge
        and asked["redirect_uri"] == form["redirect_uri"]
        and asked["response_type"] == "code"
    )


@asynccontextmanager
async def lying_provider() -> AsyncIterator[LyingProvider]:
    """Run one that is honest so far."""
    with free_socket() as listener:
        provider = LyingProvider(f"http://127.0.0.1:{listener.getsockname()[1]}")
        provider.reset()
        async with listening(provider.app(), listener, clock=SystemClock()):
            yield provider
            provider.reset()
