"""A rule of the API as a row of a table: what is asked, and what is answered."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import httpx

from tests.contract.documented import differences

JSON: Final = "application/json; charset=utf-8"
_MESSAGE: Final = re.compile(r"[A-Za-z0-9 .]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule.

    Attributes:
        rule: In a few words; the name of the row.
        status: What is answered.
        code: What the body of a refusal says, None where it is no refusal.
        method: The request's method.
        path: Where it goes, with its query.
        headers: Headers that differ from those of a good request; None leaves one out, a tuple
            sends it several times.
        body: Bytes, or a value to be sent as JSON; None sends no body.
        says: Headers that the answer must have.
    """

    rule: str
    status: int = 400
    code: int | None = None
    method: str = "GET"
    path: str = ""
    headers: Mapping[str, str | tuple[str, ...] | None] = field(default_factory=dict)
    body: object = None
    says: Mapping[str, str] = field(default_factory=dict)


async def ask(
    client: httpx.AsyncClient, row: Row, *, usual: Mapping[str, str] | None = None
) -> httpx.Response:
    """Send a row's request.

    Args:
        client: Speaks to the service.
        row: The row.
        usual: Headers of a good request, which the row changes.
    """
    named = {name.lower(): value for name, value in (usual or {}).items()}
    changed = named | {name.lower(): value for name, value in row.headers.items()}
    lines = [
        (name, each)
        for name, value in changed.items()
        if value is not None
        for each in ((value,) if isinstance(value, str) else value)
    ]
    body = row.body if isinstance(row.body, bytes | None) else json.dumps(row.body).encode()
    return await client.request(row.method, row.path, headers=lines, content=body)


def faults(row: Row, answer: httpx.Response) -> list[str]:
    """Return what is wrong with an answer: against its row, and against the rules for all."""
    found = []
    if answer.status_code != row.status:
        found.append(f"status {answer.status_code}")
    found += [
        f"{name}: {answer.headers.get(name)}"
        for name, value in row.says.items()
        if answer.headers.get(name) != value
    ]
    if "date" not in answer.headers:
        found.append("no date")
    if any(name.startswith("access-control") for name in answer.headers):
        found.append("CORS")
    if row.method == "POST" or answer.is_error:
        found += _unless(answer.headers.get("cache-control") == "no-store", "may be stored")
    if answer.is_error and row.method != "HEAD":
        found += _faults_of_refusal(answer, row.code)
    return found


def broken(rows: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the rows that have faults: none, where the contract holds."""
    return {rule: found for rule, found in rows.items() if found}


def names_are_unique(rows: Iterable[Row]) -> bool:
    """Tell whether every row has a name of its own."""
    names = [row.rule for row in rows]
    return len(names) == len(set(names))


async def broken_rows(
    client: httpx.AsyncClient,
    rows: Iterable[Row],
    *,
    service: str | None = None,
    usual: Mapping[str, str] | None = None,
) -> dict[str, list[str]]:
    """Ask every row, and return those that are answered otherwise than they say.

    Args:
        client: Speaks to the service.
        rows: The rows.
        service: The service's name; the answers are also held against its document, where it is
            the service that gives them, and nobody in front of it.
        usual: Headers of a good request.
    """
    rows = list(rows)
    assert names_are_unique(rows)
    found = {}
    for row in rows:
        answer = await ask(client, row, usual=usual)
        found[row.rule] = faults(row, answer)
        if service is not None:
            found[row.rule] += differences(service, answer)
    return broken(found)


def _faults_of_refusal(answer: httpx.Response, code: int | None) -> list[str]:
    found = _unless(answer.headers.get("content-type") == JSON, "not JSON")
    found += _unless(answer.headers.get("content-length") == str(len(answer.content)), "length")
    body: dict[str, Any] = answer.json()
    found += _unless(body.keys() == {"error_code", "message"}, f"members {[*body]}")
    found += _unless(body["error_code"] == code, f"code {body['error_code']}")
    found += _unless(_MESSAGE.fullmatch(body["message"]) is not None, "message not plain")
    wait = answer.headers.get("retry-after", "")
    if answer.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        found += _unless(wait.isdecimal() and int(wait) >= 1, "no wait")
    return found


def _unless(condition: bool, fault: str) -> list[str]:  # noqa: FBT001 - reads as a sentence
    return [] if condition else [fault]
