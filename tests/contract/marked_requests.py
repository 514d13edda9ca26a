"""Requests full of marked secrets, made from a service's own description of itself.

A new endpoint is asked as well: what it takes is read from its OpenAPI document.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from immuni.clock import SystemClock
from immuni.entropy import SystemEntropy
from immuni.otp import generate_otp, otp_hash
from tests.contract.marks import Marks

Json = Any
PROVINCE: Final = "VV"
BEHIND_A_PROXY: Final = ("203.0.113.77", "2001:db8:77::9")
_BODY_LIMIT: Final = 262_144


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def saying(self, name: str, value: str) -> "Asked":
        """Return the request with another value of a header."""
        others = tuple(each for each in self.headers if each[0].lower() != name.lower())
        return replace(self, headers=(*others, (name, value)))


@dataclass
class Secrets:
    """The secrets of one round of requests."""

    marks: Marks
    mark: bytes = field(default_factory=lambda: SystemEntropy().token(16))

    def __post_init__(self) -> None:
        self.otp = generate_otp(SystemEntropy())
        self.text = "Zq" + self.mark.hex()
        self.marks.add("mark", self.mark)
        self.marks.add("text", self.text)
        self.marks.add("otp", self.otp)
        self.marks.add("bearer", otp_hash(self.otp))

    def key_data(self) -> str:
        """Return the base64 of 16 bytes that no other key has."""
        data = SystemEntropy().token(16)
        self.marks.add("key data", data)
        return base64.b64encode(data).decode("ascii")


def well_formed(document: Json, secrets: Secrets) -> Iterator[Asked]:
    """Yield a request to every operation that it takes for good, with marks wherever it may."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield _example(method, path, operation, secrets)


def malformed(asked: Asked, secrets: Secrets) -> Iterator[Asked]:
    """Yield what may be wrong with a request, each time with a mark in the wrong place."""
    text = secrets.text
    yield replace(asked, query=f"{text}={text}")
    yield replace(asked, query=asked.query + f"&{text}")
    yield replace(asked, path=f"{asked.path}/{text}")
    yield replace(asked, path=asked.path.replace("/", "/%2e", 1) + text)
    yield replace(asked, path=f"/{text}")
    yield replace(asked, path=f"{asked.path.rpartition('/')[0]}/{text}")
    yield replace(asked, method=text.upper())
    yield replace(asked, method="OPTIONS")
    for name, value in asked.headers:
        yield asked.saying(name, text)
        yield asked.saying(name, value + text)
        yield replace(asked, headers=(*asked.headers, (name, text)))
    for name in ("Content-Type", "If-None-Match", "Range", "Cookie", "User-Agent", "Referer", text):
        yield asked.saying(name, text)
    yield asked.saying("X-Forwarded-For", ", ".join(BEHIND_A_PROXY))
    yield asked.saying("X-Forwarded-For", BEHIND_A_PROXY[0])
    yield asked.saying("Forwarded", f'for="{BEHIND_A_PROXY[0]}"')
    if asked.body is not None:
        yield asked.saying("Immuni-Dummy-Data", "1")
        yield from (replace(asked, body=body) for body in _malformed_bodies(asked.body, text))


def _malformed_bodies(body: bytes, text: str) -> Iterator[bytes]:
    yield text.encode()
    yield json.dumps(text).encode()
    yield json.dumps([text]).encode()
    yield body[:-1]
    yield body + text.encode()
    yield text.encode() * (_BODY_LIMIT // len(text) + 1)
    yield json.dumps({**json.loads(body), text: text}).encode()
    for spoilt in _spoilt(json.loads(body), text):
        yield json.dumps(spoilt).encode()


def _spoilt(value: Json, text: str) -> Iterator[Json]:
    """Yield a value with each of its parts replaced by a mark, one after the other."""
    yield text
    match value:
        case dict():
            for name, part in value.items():
                yield from ({**value, name: each} for each in _spoilt(part, text))
            yield {**value, text: text}
        case list():
            for index, part in enumerate(value):
                yield from (
                    [*value[:index], each, *value[index + 1 :]] for each in _spoilt(part, text)
                )
        case str():
            yield value + text
        case int():
            yield int(text.encode().hex(), 16)


def _example(method: str, path: str, operation: Json, secrets: Secrets) -> Asked:
    given: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
    for each in operation.get("parameters", ()):
        given[each["in"]][each["name"]] = _header(each["name"], str(each["example"]), secrets)
    sent = operation.get("requestBody", {}).get("content", {}).get("application/json")
    headers = list(given["header"].items())
    body = None
    if sent is not None:
        headers.append(("Content-Type", "application/json"))
        body = json.dumps(_marked("", sent["example"], secrets)).encode()
    return Asked(
        method=method.upper(),
        path=path.format(**given["path"]),
        query="&".join(f"{name}={value}" for name, value in given["query"].items()),
        headers=tuple(headers),
        body=body,
    )


def _header(name: str, example: str, secrets: Secrets) -> str:
    match name:
        case "Authorization":
            digits = len(example.removeprefix("Bearer "))
            token = otp_hash(secrets.otp) if digits == 64 else secrets.mark.hex() * 4
            return f"Bearer {token}"
        case "Immuni-Client-Clock":
            return str(int(SystemClock().now().timestamp()))
        case "Immuni-Request-Id":
            return secrets.text
    return example


def _marked(name: str, value: Json, secrets: Secrets) -> Json:
    """Return a part of an example with marks in it, and with days of today."""
    makers: dict[str, Callable[[], Json]] = {
        "otp": lambda: secrets.otp,
        "key_data": secrets.key_data,
        "salt": secrets.key_data,
        "device_token": lambda: base64.b64encode(secrets.mark * 3).decode("ascii"),
        "analytics_token": lambda: secrets.mark.hex() * 4,
        "signed_attestation": lambda: secrets.text,
        "padding": lambda: secrets.text,
        "province": lambda: PROVINCE,
        "date": _today,
        "symptoms_started_on": _today,
        "tested_on": _today,
        "last_risky_exposure_on": _today,
        # The examples' keys lie within two days of each other.
        "rolling_start_number": lambda: value - 2654208 + _interval() - 200,
    }
    match value:
        case dict():
            return {inner: _marked(inner, part, secrets) for inner, part in value.items()}
        case list():
            return [_marked(name, part, secrets) for part in value]
        case None:
            return None
    return makers[name]() if name in makers else value


def _today() -> str:
    return SystemClock().now().date().isoformat()


def _interval() -> int:
    return int(SystemClock().now().timestamp()) // 600
