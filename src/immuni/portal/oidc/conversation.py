"""Talking with one provider: its description, its keys, a code for a token."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote_plus

import httpx
import msgspec
from joserfc.jwk import KeySet

from immuni.clock import Clock
from immuni.portal.oidc.failures import ProviderError, Reason
from immuni.portal.oidc.providers import Provider, is_safe_url
from immuni.portal.oidc.rules import (
    Flow,
    Identity,
    Tokens,
    authorization_url,
    code_of,
    identity_of,
    key_id_of,
    usable_keys,
)

M = TypeVar("M", bound=msgspec.Struct)

DESCRIPTION_LIFETIME: Final = timedelta(hours=1)
"""For how long a provider's description and keys are believed without asking again."""
KEYS_AT_MOST_EVERY: Final = timedelta(minutes=1)
"""How often a key that nobody knows makes the portal ask again."""
MAX_ANSWER_BYTES: Final = 256 * 1024
_MAX_CONNECTIONS: Final = 10
_DESCRIPTION_PATH: Final = "/.well-known/openid-configuration"
_BASIC: Final = "client_secret_basic"


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself, as far as it means something here.

    Source:
        OpenID Connect Discovery 1.0, 3; RFC 9207, 3.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: [_BASIC]
    )
    authorization_response_iss_parameter_supported: bool = False


class _Keys(msgspec.Struct, frozen=True):
    keys: list[object]


@dataclass(frozen=True, slots=True)
class _Fetched:
    keys: KeySet
    at: datetime


def http_client(timeout: timedelta) -> httpx.AsyncClient:
    """Return a client for talking with providers; whoever asked for it closes it.

    It follows no redirect, so that nothing is sent to where a provider's description does not
    lead, and asks for nothing compressed, so that what arrives is as long as it looks.
    """
    return httpx.AsyncClient(
        timeout=timeout.total_seconds(),
        limits=httpx.Limits(max_connections=_MAX_CONNECTIONS),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        # A proxy named in the environment would see the client's secret.
        trust_env=False,
    )


class Conversation:
    """Everything that the portal says to one provider."""

    def __init__(
        self, provider: Provider, http: httpx.AsyncClient, *, clock: Clock, timeout: timedelta
    ) -> None:
        """Know nothing yet: a provider that is down does not keep the portal from starting."""
        self.provider = provider
        self._http = http
        self._clock = clock
        self._timeout = timeout.total_seconds()
        self._description: tuple[Description, datetime] | None = None
        self._keys: _Fetched | None = None
        self._asking = asyncio.Lock()

    async def way_to(self, flow: Flow, *, redirect_uri: str) -> str:
        """Return where a browser is sent.

        Raises:
            ProviderError: The provider does not answer, or not as one.
        """
        description = await self._describe()
        return authorization_url(
            description.authorization_endpoint, self.provider, flow, redirect_uri=redirect_uri
        )

    async def who_came_back(self, query: str, flow: Flow, *, redirect_uri: str) -> Identity:
        """Return who somebody is who came back from the provider.

        Args:
            query: What stood in the address with which they came.
            flow: What was begun in their browser.
            redirect_uri: Where the provider was asked to send them.

        Raises:
            ProviderError: They have not shown who they are, or the provider does not answer.
        """
        description = await self._describe()
        code = code_of(
            query,
            flow,
            issuer=self.provider.issuer,
            names_issuer=description.authorization_response_iss_parameter_supported,
        )
        tokens = await self._redeem(description, code, flow, redirect_uri)
        keys = await self._keys_for(description, key_id_of(tokens.id_token))
        return identity_of(tokens, keys, self.provider, flow, now=self._clock.now())

    async def _describe(self) -> Description:
        async with self._asking:
            now = self._clock.now()
            if self._description and now - self._description[1] < DESCRIPTION_LIFETIME:
                return self._description[0]
            url = self.provider.issuer.rstrip("/") + _DESCRIPTION_PATH
            description = _parsed(Description, await self._get(url))
            endpoints = (
                description.authorization_endpoint,
                description.token_endpoint,
                description.jwks_uri,
            )
            if description.issuer != self.provider.issuer or not all(map(is_safe_url, endpoints)):
                raise ProviderError(Reason.NOT_TRUSTED, "the description is of another provider")
            self._description = description, now
            return description

    async def _keys_for(self, description: Description, key_id: str | None) -> KeySet:
        """Return the keys, asked for again where they are old or one is missing, but not often."""
        async with self._asking:
            now = self._clock.now()
            fetched = self._keys
            if fetched is not None:
                known = key_id is None or any(key.kid == key_id for key in fetched.keys)
                if now - fetched.at < (DESCRIPTION_LIFETIME if known else KEYS_AT_MOST_EVERY):
                    return fetched.keys
            keys = usable_keys(_parsed(_Keys, await self._get(description.jwks_uri)).keys)
            self._keys = _Fetched(keys, now)
            return keys

    async def _redeem(
        self, description: Description, code: str, flow: Flow, redirect_uri: str
    ) -> Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": flow.code_verifier,
        }
        # Escaped first, as RFC 6749, 2.3.1 wants it.
        login = quote_plus(self.provider.client_id), quote_plus(self.provider.client_secret)
        basic: httpx.Auth | None = httpx.BasicAuth(*login)
        if _BASIC not in description.token_endpoint_auth_methods_supported:
            basic = None
            form |= {
                "client_id": self.provider.client_id,
                "client_secret": self.provider.client_secret,
            }
        request = self._http.build_request("POST", description.token_endpoint, data=form)
        status, body = await self._send(request, basic)
        if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED):
            raise ProviderError(Reason.REFUSED, "the provider does not take the code")
        _demand_ok(status)
        return _parsed(Tokens, body)

    async def _get(self, url: str) -> bytes:
        status, body = await self._send(self._http.build_request("GET", url))
        _demand_ok(status)
        return body

    async def _send(
        self, request: httpx.Request, auth: httpx.Auth | None = None
    ) -> tuple[int, bytes]:
        """Return status and body of an answer that is whole in time and not too long."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._http.send(request, auth=auth, stream=True)
                try:
                    async for part in answer.aiter_raw():
                        body += part
                        if len(body) > MAX_ANSWER_BYTES:
                            raise ProviderError(Reason.NOT_TRUSTED, "the answer is too long")
                finally:
                    await answer.aclose()
        except (httpx.TransportError, TimeoutError) as error:
            message = f"the provider does not answer ({type(error).__name__})"
            raise ProviderError(Reason.UNREACHABLE, message) from error
        return answer.status_code, bytes(body)


class Conversations:
    """All providers, by name."""

    def __init__(self, providers: Sequence[Provider], *, clock: Clock, timeout: timedelta) -> None:
        """Talk with nobody yet."""
        self._http = http_client(timeout)
        self._by_name: Mapping[str, Conversation] = {
            each.name: Conversation(each, self._http, clock=clock, timeout=timeout)
            for each in providers
        }

    def __iter__(self) -> Iterator[Conversation]:
        """Go through them in the order of the file."""
        return iter(self._by_name.values())

    def named(self, name: str) -> Conversation | None:
        """Return the one of that name."""
        return self._by_name.get(name)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _demand_ok(status: int) -> None:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ProviderError(Reason.UNREACHABLE, f"the provider answered {status}")
    if status != HTTPStatus.OK:
        raise ProviderError(Reason.NOT_TRUSTED, f"the provider answered {status}")


def _parsed(kind: type[M], body: bytes) -> M:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProviderError(Reason.NOT_TRUSTED, f"no {kind.__name__} in the answer") from error
