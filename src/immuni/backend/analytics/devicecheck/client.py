"""Calls to DeviceCheck, each of which comes to an answer or to a failure, in time.

Source:
    Apple, "Accessing and modifying per-device data".
"""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Final
from uuid import UUID

import httpx
import msgspec

from immuni.backend.analytics.devicecheck.answers import Answer, Bits, DeviceState, Failure, Said
from immuni.backend.analytics.devicecheck.provider import ProviderToken
from immuni.clock import Clock
from immuni.entropy import Entropy

_QUERY: Final = "/v1/query_two_bits"
_UPDATE: Final = "/v1/update_two_bits"
_MAX_ANSWER_BYTES: Final = 4096
_NEVER_WRITTEN: Final = frozenset({"failed to find bit state", "bit state not found"})
# Other texts with the same status tell of faults of ours, for which no phone may be blamed.
_NOT_GENUINE: Final = "device token"
_FAILURES: Final[Mapping[int, Failure]] = {
    HTTPStatus.BAD_REQUEST: Failure.REJECTED,
    HTTPStatus.UNAUTHORIZED: Failure.UNAUTHORISED,
    HTTPStatus.FORBIDDEN: Failure.UNAUTHORISED,
    HTTPStatus.TOO_MANY_REQUESTS: Failure.THROTTLED,
}


class _Found(msgspec.Struct):
    bit0: bool
    bit1: bool
    last_update_time: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]

    def state(self) -> DeviceState:
        month = date.fromisoformat(f"{self.last_update_time}-01")
        return DeviceState(Bits((self.bit1, self.bit0)), month)


class DeviceCheckClient:
    """Apple's two bits of each device, asked for over HTTP."""

    def __init__(
        self, http: httpx.AsyncClient, provider: ProviderToken, *, clock: Clock, entropy: Entropy
    ) -> None:
        """Ask over `http`, whose base URL is Apple's; use `open_device_check`."""
        self._http = http
        self._provider = provider
        self._clock = clock
        self._entropy = entropy

    async def query(self, device_token: bytes, *, within: timedelta) -> Answer:
        """Return what Apple knows of the device that made a token."""
        answer = await self._ask(_QUERY, device_token, {}, within)
        return answer if isinstance(answer, Said | Failure) else _state_in(answer)

    async def update(self, device_token: bytes, bits: Bits, *, within: timedelta) -> Answer:
        """Write the bits of the device that made a token."""
        bit1, bit0 = bits.value
        answer = await self._ask(_UPDATE, device_token, {"bit0": bit0, "bit1": bit1}, within)
        return answer if isinstance(answer, Said | Failure) else Said.WRITTEN

    async def _ask(
        self, path: str, device_token: bytes, members: Mapping[str, bool], within: timedelta
    ) -> bytes | Said | Failure:
        """Return the body of a good answer, or what else came of the call."""
        now = self._clock.now()
        question = {
            "device_token": b64encode(device_token).decode("ascii"),
            "transaction_id": str(UUID(bytes=self._entropy.token(16), version=4)),
            "timestamp": int(now.timestamp() * 1000),
            **members,
        }
        headers = {"Authorization": self._provider.bearer(now)}
        try:
            async with (
                asyncio.timeout(within.total_seconds()),
                self._http.stream("POST", path, json=question, headers=headers) as answer,
            ):
                return _read(answer.status_code, await _bounded(answer))
        except TimeoutError:
            return Failure.TIMED_OUT
        except httpx.HTTPError:
            return Failure.UNREACHABLE


@asynccontextmanager
async def open_device_check(
    url: str, provider: ProviderToken, *, calls: int, clock: Clock, entropy: Entropy
) -> AsyncIterator[DeviceCheckClient]:
    """Open connections to DeviceCheck for as long as the context lasts.

    Args:
        url: Where it answers.
        provider: Says who asks.
        calls: How many calls are made at once at most.
        clock: Dates the calls.
        entropy: Numbers them.
    """
    # The environment's proxies and certificates have no say in this. Each call brings its time-out.
    async with httpx.AsyncClient(
        base_url=url,
        timeout=None,  # noqa: S113 - one for the whole call stands around it
        limits=httpx.Limits(max_connections=calls, max_keepalive_connections=calls),
        trust_env=False,
    ) as http:
        yield DeviceCheckClient(http, provider, clock=clock, entropy=entropy)


async def _bounded(answer: httpx.Response) -> bytes:
    content = b""
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > _MAX_ANSWER_BYTES:
            break
    return content[:_MAX_ANSWER_BYTES]


def _read(status: int, content: bytes) -> bytes | Said | Failure:
    if status == HTTPStatus.OK:
        return content
    if status == HTTPStatus.BAD_REQUEST and _NOT_GENUINE in _text(content):
        return Said.NOT_GENUINE
    return _FAILURES.get(status, Failure.SERVER_ERROR)


def _state_in(content: bytes) -> DeviceState | Failure:
    if _text(content) in _NEVER_WRITTEN:
        return DeviceState(Bits.DEFAULT, updated_in=None)
    try:
        return msgspec.json.decode(content, type=_Found).state()
    except (msgspec.MsgspecError, ValueError):
        return Failure.GARBAGE


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace").strip().casefold()
