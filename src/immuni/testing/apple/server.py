"""The server: two calls of Apple's, and one of ours by which it is told to fail."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from immuni.clock import Clock
from immuni.testing.apple.devices import Devices, device_of
from immuni.testing.apple.faults import Fault, Faults, Mischief, When

_TOKEN_AGE: Final = timedelta(hours=1)
_SKEW: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Developer:
    """Who may ask.

    Attributes:
        team_id: What a token has to be issued by.
        keys: The public keys that are registered, by their ids.
    """

    team_id: str
    keys: Mapping[str, ECKey] = field(repr=False)


class _Query(msgspec.Struct):
    device_token: str
    transaction_id: str
    timestamp: int


class _Update(_Query):
    bit0: bool
    bit1: bool


class _Command(msgspec.Struct, forbid_unknown_fields=True):
    """What goes wrong from now on, in place of what went wrong so far."""

    faults: list[Fault] = []
    latency_milliseconds: int = 0


class RefusedError(Exception):
    """A call is not as it should be.

    Attributes:
        answer: What Apple says to it.
    """

    def __init__(self, status: HTTPStatus, text: str) -> None:
        """Say it with this status and text."""
        super().__init__(text)
        self.answer = PlainTextResponse(text, status)


class AppleDeviceCheck:
    """Keeps bits of devices for a developer, answers over HTTP, and fails on command.

    Attributes:
        devices: The bits.
        faults: What goes wrong.
        latency: How long each call takes, half of it before it is carried out.
        calls: How often each device was asked about, by device.
        at_work: Calls that are being answered.
        most_at_work: How many there were at once at most.
        app: Answers over HTTP.
    """

    def __init__(self, developer: Developer, clock: Clock) -> None:
        """Know the developer, and no device."""
        self.devices = Devices()
        self.faults = Faults()
        self.latency = timedelta(0)
        self.calls: Counter[str] = Counter()
        self.at_work = self.most_at_work = 0
        self._developer = developer
        self._clock = clock
        self.app = Starlette(
            routes=[
                Route("/v1/query_two_bits", _Endpoint(self, _Query)),
                Route("/v1/update_two_bits", _Endpoint(self, _Update)),
                Route("/command", self._command, methods=["POST"]),
            ]
        )

    async def call(self, bearer: str, body: bytes, kind: type[_Query]) -> "Response | Fault":
        """Carry out a call, and return its answer, or the fault that keeps it from one.

        Raises:
            RefusedError: The call is not as it should be.
        """
        self._check(bearer)
        asked = _parsed(body, kind)
        device = device_of(asked.device_token)
        if device is None:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "Missing or incorrectly formatted device token payload"
            )
        self.calls[device] += 1
        fault = self.faults.take(device, self.calls[device])
        await asyncio.sleep(self.latency.total_seconds() / 2)
        answer = None
        if fault is None or fault.when is When.AFTER:
            answer = self._carried_out(device, asked)
        await asyncio.sleep(self.latency.total_seconds() / 2)
        return fault or answer or Response()

    def _check(self, bearer: str) -> None:
        scheme, _, token = bearer.partition(" ")
        if scheme.lower() != "bearer":
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "Missing or badly formatted authorization token"
            )
        if not self._is_signed(token):
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unable to verify authorization token")

    def _is_signed(self, token: str) -> bool:
        try:
            read = jwt.decode(token, self._key_of, algorithms=["ES256"])
        except (JoseError, ValueError, KeyError):
            return False
        issued_at = read.claims.get("iat")
        if read.claims.get("iss") != self._developer.team_id or not isinstance(issued_at, int):
            return False
        age = self._clock.now().timestamp() - issued_at
        return -_SKEW.total_seconds() <= age <= _TOKEN_AGE.total_seconds()

    def _key_of(self, token: object) -> ECKey:
        headers = getattr(token, "headers")()  # noqa: B009 - the library does not say its type
        return self._developer.keys[headers["kid"]]

    def _carried_out(self, device: str, asked: _Query) -> Response:
        if isinstance(asked, _Update):
            today = self._clock.now().date()
            self.devices.update(device, bit0=asked.bit0, bit1=asked.bit1, today=today)
            return Response()
        bits = self.devices.query(device)
        if bits is None:
            # Nothing was ever written. Apple says so with a good status and a text.
            return PlainTextResponse("Failed to find bit state")
        return JSONResponse(msgspec.to_builtins(bits))

    async def _command(self, request: Request) -> Response:
        try:
            command = msgspec.json.decode(await request.body(), type=_Command)
        except msgspec.MsgspecError as error:
            return PlainTextResponse(str(error), HTTPStatus.BAD_REQUEST)
        self.faults.clear()
        self.faults.add(command.faults)
        self.latency = timedelta(milliseconds=command.latency_milliseconds)
        return Response(status_code=HTTPStatus.NO_CONTENT)


class _Endpoint:
    """One of Apple's calls, as an application: some answers are none."""

    def __init__(self, server: AppleDeviceCheck, kind: type[_Query]) -> None:
        self._server = server
        self._kind = kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self._server.at_work += 1
        self._server.most_at_work = max(self._server.most_at_work, self._server.at_work)
        try:
            outcome = await self._outcome(request)
            if isinstance(outcome, Response):
                await outcome(scope, receive, send)
            else:
                await _misbehave(outcome, scope, receive, send)
        finally:
            self._server.at_work -= 1

    async def _outcome(self, request: Request) -> Response | Fault:
        if request.method != "POST":
            return PlainTextResponse("Method Not Allowed", HTTPStatus.METHOD_NOT_ALLOWED)
        try:
            bearer = request.headers.get("authorization", "")
            return await self._server.call(bearer, await request.body(), self._kind)
        except RefusedError as error:
            return error.answer


async def _misbehave(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    match fault.mischief:
        case Mischief.FAIL:
            await PlainTextResponse(fault.text, fault.status)(scope, receive, send)
        case Mischief.GARBAGE:
            await PlainTextResponse(fault.text)(scope, receive, send)
        case Mischief.HANG:
            await _until_the_caller_goes(receive)
        case Mischief.DROP:
            # More is promised than comes: the server has to close the connection.
            lines = [(b"content-length", b"100")]
            await send({"type": "http.response.start", "status": 200, "headers": lines})


async def _until_the_caller_goes(receive: Receive) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


def _parsed(body: bytes, kind: type[_Query]) -> _Query:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        what = next((text for name, text in _FAULTS.items() if name in str(error)), "payload")
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, f"Missing or incorrectly formatted {what}"
        ) from (error)


_FAULTS: Final = {
    "device_token": "device token payload",
    "transaction_id": "transaction id",
    "timestamp": "time stamp",
    "bit": "bits",
}
