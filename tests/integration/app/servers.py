"""The hosts that an App speaks to, on a real port, as obedient or as broken as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from immuni.api import CheckOtp, Platform, SettingsStamp, Upload, parse_request
from immuni.export import Export, VerificationKey, write_export
from immuni.keys import DiagnosisKey
from immuni.otp import Otp, otp_hash

SETTINGS_KEY_ID = "settings-test"
EXPORT_KEY_ID = "222"
EXPORT_KEY_VERSION = "v1"


@dataclass(frozen=True)
class Signer:
    """A key pair that signs chunks."""

    private_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    key_id: str = EXPORT_KEY_ID
    key_version: str = EXPORT_KEY_VERSION

    def sign(self, data: bytes) -> bytes:
        return self.private_key.sign(data, ec.ECDSA(SHA256()))

    @property
    def verification_key(self) -> VerificationKey:
        return VerificationKey(self.key_id, self.key_version, self.private_key.public_key())


def chunk_of(keys: Sequence[DiagnosisKey], *, signer: Signer, end: datetime) -> bytes:
    """Return a TEK Chunk that holds `keys`."""
    export = Export(
        start=end - timedelta(hours=4),
        end=end,
        region="222",
        batch_num=1,
        batch_size=1,
        keys=tuple(keys),
        revised_keys=(),
        signature_infos=(),
    )
    return write_export(export, [signer])


def _opened() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Servers:
    """What the hosts hold, and what they were asked."""

    now: datetime
    settings: dict[str, Any] = field(default_factory=dict)
    settings_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    settings_version: int = 1
    chunks: dict[int, bytes] = field(default_factory=dict)
    broken_paths: set[str] = field(default_factory=set)
    authorised: set[str] = field(default_factory=set)
    attempts: list[Upload] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    busy: bool = False
    refusing: bool = False
    asked: list[str] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=_opened)

    def authorise(self, otp: Otp) -> None:
        """Do what an operator does."""
        self.authorised.add(otp_hash(otp))

    def app(self) -> Starlette:
        """Return the hosts as one application."""
        return Starlette(
            routes=[
                Route("/v1/settings", self._settings),
                Route("/v1/keys/index", self._index),
                Route("/v1/keys/{number:int}", self._chunk),
                Route("/v1/ingestion/check-otp", self._check, methods=["POST"]),
                Route("/v1/ingestion/upload", self._upload, methods=["POST"]),
            ]
        )

    @asynccontextmanager
    async def slow(self) -> AsyncIterator[None]:
        """Keep uploads waiting for their answer for as long as the block runs."""
        self.open.clear()
        try:
            yield
        finally:
            self.open.set()

    async def _settings(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        body = msgspec.json.encode(self.settings)
        stamp = SettingsStamp.of(
            body,
            platform=Platform(request.query_params["platform"]),
            build=int(request.query_params["build"]),
            version=self.settings_version,
            issued_at=self.now,
        )
        signature = self.settings_key.sign(stamp.signed_bytes(), ec.ECDSA(SHA256()))
        headers = stamp.headers(SETTINGS_KEY_ID, signature) | {"Date": _http_date(self.now)}
        return Response(body, headers=headers)

    async def _index(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        if request.url.path in self.broken_paths:
            return _error(503, 1000)
        if not self.chunks:
            return _error(404, 1301)
        return JSONResponse(
            {"oldest": min(self.chunks), "newest": max(self.chunks)},
            headers={"Date": _http_date(self.now)},
        )

    async def _chunk(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        number = request.path_params["number"]
        if request.url.path in self.broken_paths:
            return _error(503, 1000)
        if number not in self.chunks:
            return _error(404, 1300)
        return Response(self.chunks[number], media_type="application/zip")

    async def _check(self, request: Request) -> Response:
        body = await request.body()
        parse_request(CheckOtp, body)
        return self._answer(request, spend=False)

    async def _upload(self, request: Request) -> Response:
        upload = parse_request(Upload, await request.body())
        await self.open.wait()
        self.attempts.append(upload)
        answer = self._answer(request, spend=True)
        if answer.status_code == 204:
            self.uploads.append(upload)
        return answer

    def _answer(self, request: Request, *, spend: bool) -> Response:
        self.asked.append(request.url.path)
        if self.busy:
            return _error(503, 1000)
        if self.refusing:
            return _error(400, 1002)
        token = request.headers["authorization"].removeprefix("Bearer ")
        if token not in self.authorised:
            return _error(401, 1101)
        if spend:
            self.authorised.remove(token)
        return Response(status_code=204)


def _error(status: int, code: int) -> Response:
    return JSONResponse({"error_code": code, "message": "Test."}, status)


def _http_date(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
