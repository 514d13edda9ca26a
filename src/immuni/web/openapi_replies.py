"""The answers of an endpoint in its OpenAPI document: bodies, header lines, examples."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from immuni.web.endpoints import Contract, Endpoint, Method
from immuni.web.errors import (
    BodyTimeoutError,
    BodyTooLargeError,
    ContentTypeError,
    OverloadedError,
    PathError,
    QueryError,
)
from immuni.web.messages import NO_STORE
from immuni.web.reply_headers import reply_headers

JSON_TYPE: Final = "application/json"

Schemas = Mapping[type[Any], dict[str, Any]]
"""The JSON schema of every struct that the document speaks of."""


def responses(endpoint: Endpoint[Any], contract: Contract, schemas: Schemas) -> dict[str, Any]:
    """Return every answer of an endpoint, by status."""
    told = {
        str(int(status)): _success(endpoint, status, contract, schemas)
        for status in endpoint.replies
    }
    for status, codes in sorted(_refusals(endpoint, contract).items()):
        told[str(int(status))] = {
            "description": f"{status.phrase}; error_code {', '.join(map(str, sorted(codes)))}",
            "headers": _headers(endpoint, status, NO_STORE),
            "content": {
                JSON_TYPE: {
                    "schema": schemas[contract.error_type],
                    "examples": {
                        str(code): _refused(contract, status, code) for code in sorted(codes)
                    },
                }
            },
        }
    return told


def _success(
    endpoint: Endpoint[Any], status: HTTPStatus, contract: Contract, schemas: Schemas
) -> dict[str, Any]:
    kind = endpoint.replies[status]
    response: dict[str, Any] = {
        "description": status.phrase,
        "headers": _headers(endpoint, status, endpoint.cache_control),
    }
    if isinstance(kind, str):
        response["content"] = {kind: {"schema": {"type": "string", "format": "binary"}}}
    elif kind is not None:
        content = {"schema": schemas[kind]}
        if status in endpoint.reply_examples:
            content["example"] = json.loads(contract.encode(endpoint.reply_examples[status]))
        response["content"] = {JSON_TYPE: content}
    return response


def _headers(endpoint: Endpoint[Any], status: HTTPStatus, cache_control: str) -> dict[str, Any]:
    lines = reply_headers(status, cache_control=cache_control, own=endpoint.says)
    return {line.name: line.described() for line in lines}


def _refused(contract: Contract, status: HTTPStatus, code: int) -> dict[str, Any]:
    return {"value": json.loads(contract.error_body(code, status.phrase))}


def _refusals(endpoint: Endpoint[Any], contract: Contract) -> dict[HTTPStatus, set[int]]:
    """Return the statuses of an endpoint's refusals, with the codes that each may carry."""
    errors = [QueryError, PathError, OverloadedError, *endpoint.errors]
    if endpoint.method is Method.POST:
        errors += [BodyTooLargeError, BodyTimeoutError, ContentTypeError]
    codes: dict[HTTPStatus, set[int]] = {}
    for error in errors:
        answer = contract.answer_to(error)
        codes.setdefault(answer.status, set()).add(answer.code)
    return codes
