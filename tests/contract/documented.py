"""Answers held against the OpenAPI documents of the services, as they lie in the repository."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx

DOCUMENTS: Final = Path(__file__).parents[2] / "docs" / "reference" / "openapi"
_TOLD_WITH_THE_BODY: Final = "content-type"
_OF_THE_CONNECTION: Final = {"connection", "transfer-encoding"}
"""What the server says about the connection, and not about the answer."""


@cache
def document(service: str) -> Any:  # noqa: ANN401 - JSON
    """Return the document of a service."""
    return json.loads((DOCUMENTS / f"{service}.json").read_text(encoding="utf-8"))


def differences(service: str, answer: httpx.Response) -> list[str]:
    """Return how an answer differs from what the document says; nothing where no endpoint gave it.

    Every header line that is sent must be described, and every one that is described be sent, with
    a value of the form that the document gives.
    """
    operation = _operation(service, answer.request)
    if operation is None:
        return []
    described = operation["responses"].get(str(answer.status_code))
    if described is None:
        return [f"status {answer.status_code} not in the document"]
    wanted = {name.lower(): _resolved(service, line) for name, line in described["headers"].items()}
    sent = {name.lower() for name in answer.headers} - _OF_THE_CONNECTION
    body = {_TOLD_WITH_THE_BODY} if "content" in described else set()
    return [
        *(f"{name} not in the document" for name in sent - wanted.keys() - body),
        *(f"{name} not sent" for name in (wanted.keys() | body) - sent),
        *(
            f"{name}: {answer.headers[name]} not as in the document"
            for name in sent & wanted.keys()
            if not re.search(wanted[name]["schema"]["pattern"], answer.headers[name])
        ),
    ]


def _resolved(service: str, line: Any) -> Any:  # noqa: ANN401 - JSON
    reference = line.get("$ref", "")
    name = reference.removeprefix("#/components/headers/")
    return document(service)["components"]["headers"][name] if reference else line


def _operation(service: str, request: httpx.Request) -> Any:  # noqa: ANN401 - JSON
    """Return the operation of a request, None where there is none. HEAD is answered like GET."""
    method = "get" if request.method == "HEAD" else request.method.lower()
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    found = [
        operations[method]
        for template, operations in document(service)["paths"].items()
        if method in operations
        and re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path)
    ]
    # Of `/v1/keys/index` and `/v1/keys/{index}` the former is meant.
    return found[0] if found else None
