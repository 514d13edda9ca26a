"""The public host as a background session sees it: settings, index, chunks.

Every method asks once and reads a bounded answer; what it means is decided elsewhere.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx

from immuni.api import ChunkIndex, ErrorBody, ErrorCode, MalformedAnswerError, parse_answer
from immuni.app.build import Build
from immuni.app.server_time import ServerTime, read_server_time
from immuni.app.transport import ServerUnreachableError
from immuni.clock import Clock
from immuni.errors import ImmuniError

MAX_SETTINGS_BYTES: Final = 256 * 1024
MAX_INDEX_BYTES: Final = 4 * 1024
MAX_QUESTIONS_BYTES: Final = 256 * 1024
MAX_CHUNK_BYTES: Final = 32 * 1024 * 1024
TIMEOUT: Final = timedelta(seconds=60)
"""For one answer, from the first byte of the request to the last one read."""

# Nothing here may tell one phone from another; no compression, so that the bound is on the wire.
_HEADERS: Final = {"User-Agent": "Immuni", "Accept-Encoding": "identity"}


class UnexpectedAnswerError(ImmuniError):
    """The server answered with a status that the API does not foresee here; it was discarded."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer.

    Attributes:
        headers: Names are looked up in any case.
        body: At most as many bytes as its kind may have.
        received_at: The phone's clock when it had arrived.
    """

    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: datetime

    @property
    def server_time(self) -> ServerTime | None:
        """What the answer says of the server's clock."""
        return read_server_time(self.headers, received_at=self.received_at)


@dataclass(frozen=True, slots=True)
class IndexAnswer:
    """What the server offers, None while it has no chunk, and its idea of the time."""

    index: ChunkIndex | None
    server_time: ServerTime | None


class _RefusedError(ImmuniError):
    """The server answered with an error of the API; `code` says which."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"the server answered {status}")
        self.status = status
        self.code = _error_code(body)


class PublicHost:
    """A connection to the host that serves settings, index, chunks and texts."""

    def __init__(self, client: httpx.AsyncClient, *, build: Build, clock: Clock) -> None:
        """Speak through `client`; use `open_public_host`."""
        self._client = client
        self._build = build
        self._clock = clock

    async def settings(self) -> Answer:
        """Fetch the settings of this platform and build, not yet verified."""
        query = f"platform={self._build.platform.value}&build={self._build.number}"
        try:
            return await self._fetch(f"/v1/settings?{query}", max_bytes=MAX_SETTINGS_BYTES)
        except _RefusedError as error:
            raise UnexpectedAnswerError(str(error)) from None

    async def index(self) -> IndexAnswer:
        """Fetch the index of chunks.

        Raises:
            MalformedAnswerError: The body is not an index.
        """
        try:
            answer = await self._fetch("/v1/keys/index", max_bytes=MAX_INDEX_BYTES)
        except _RefusedError as error:
            if error.code == ErrorCode.NO_CHUNKS:
                return IndexAnswer(None, None)
            raise UnexpectedAnswerError(str(error)) from None
        return IndexAnswer(parse_answer(ChunkIndex, answer.body), answer.server_time)

    async def chunk(self, number: int) -> bytes:
        """Fetch one chunk, not yet verified."""
        try:
            answer = await self._fetch(f"/v1/keys/{number}", max_bytes=MAX_CHUNK_BYTES)
        except _RefusedError as error:
            raise UnexpectedAnswerError(str(error)) from None
        return answer.body

    async def questions(self, address: str, *, tag: str) -> Answer | None:
        """Fetch questions and answers from `address`, which may name another host.

        Args:
            address: From the settings.
            tag: Of what is there already; empty where nothing is.

        Returns:
            None where nothing has changed.
        """
        # What is pinned holds for every host, and a build that speaks TLS speaks nothing else.
        if urlsplit(address).scheme != urlsplit(self._build.get_url).scheme:
            raise UnexpectedAnswerError("an address of another scheme")
        known = {"If-None-Match": tag} if tag else {}
        try:
            return await self._fetch(
                self._build.reached(address), max_bytes=MAX_QUESTIONS_BYTES, headers=known
            )
        except _RefusedError as error:
            if tag and error.status == HTTPStatus.NOT_MODIFIED:
                return None
            raise UnexpectedAnswerError(str(error)) from None

    async def _fetch(
        self, path: str, *, max_bytes: int, headers: Mapping[str, str] | None = None
    ) -> Answer:
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                return await self._read(path, max_bytes=max_bytes, headers=headers or {})
        except (httpx.HTTPError, TimeoutError) as error:
            raise ServerUnreachableError(f"no answer: {type(error).__name__}") from error

    async def _read(self, path: str, *, max_bytes: int, headers: Mapping[str, str]) -> Answer:
        async with self._client.stream("GET", path, headers=headers) as response:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > max_bytes:
                    raise UnexpectedAnswerError(f"an answer exceeds {max_bytes} bytes")
        if response.status_code != HTTPStatus.OK:
            raise _RefusedError(response.status_code, bytes(body))
        return Answer(response.headers, bytes(body), self._clock.now())


@asynccontextmanager
async def open_public_host(build: Build, *, clock: Clock) -> AsyncIterator[PublicHost]:
    """Connect for one session; nothing is carried over from session to session."""
    async with httpx.AsyncClient(
        base_url=build.get_url,
        verify=build.tls,
        headers=_HEADERS,
        timeout=TIMEOUT.total_seconds(),
        # The wiring alone reads the environment; a proxy there is none of the App's business.
        trust_env=False,
    ) as client:
        yield PublicHost(client, build=build, clock=clock)


def _error_code(body: bytes) -> int:
    try:
        return parse_answer(ErrorBody, body).error_code
    except MalformedAnswerError:
        return ErrorCode.GENERAL
