"""The OpenAPI 3.1 document of a service, generated from its table."""

import inspect
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from immuni import __version__
from immuni.web.endpoints import Contract, Endpoint, Method, Service
from immuni.web.messages import Call, Reply
from immuni.web.openapi_replies import JSON_TYPE, Schemas, responses
from immuni.web.parameters import Parameter, Place

_OPENAPI_VERSION: Final = "3.1.1"
_REF: Final = "#/components/schemas/{name}"
_ARTICLES: Final = ("a", "an", "the")


def openapi_document(services: Sequence[Service], contract: Contract) -> dict[str, Any]:
    """Return the document of `services` together, as JSON values."""
    endpoints = [endpoint for service in services for endpoint in service.endpoints]
    kinds = _kinds(endpoints, contract)
    schemas, components = contract.schemas(kinds, ref_template=_REF)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for service in services:
        for endpoint in service.endpoints:
            operation = _operation(endpoint, service, contract, schema_of)
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    headers = _shared_headers(paths)
    return {
        "openapi": _OPENAPI_VERSION,
        "info": {
            "title": ", ".join(service.title for service in services),
            "version": __version__,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "paths": paths,
        "components": {"schemas": _described(components), "headers": headers},
    }


def document_endpoint(services: Sequence[Service], contract: Contract) -> Endpoint[None]:
    """Return the endpoint that answers with the document."""
    body = json.dumps(openapi_document(services, contract), sort_keys=True).encode("ascii")

    async def answer(_call: Call[None]) -> Reply:
        return Reply(body=body)

    return Endpoint(
        method=Method.GET,
        path="/openapi.json",
        summary="Describe this API",
        handler=answer,
        replies={HTTPStatus.OK: None},
    )


def _kinds(endpoints: Sequence[Endpoint[Any]], contract: Contract) -> list[type[Any]]:
    """Return every struct that is sent or answered, once each, in a stable order."""
    sent = [each.request for each in endpoints if each.request is not None]
    answered = [
        kind for each in endpoints for kind in each.replies.values() if isinstance(kind, type)
    ]
    return list(dict.fromkeys([contract.error_type, *sent, *answered]))


def _operation(
    endpoint: Endpoint[Any],
    service: Service,
    contract: Contract,
    schema_of: Schemas,
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint.summary),
        "summary": endpoint.summary,
        "tags": [service.name],
        "responses": responses(endpoint, contract, schema_of),
    }
    if endpoint.parameters:
        operation["parameters"] = [_parameter(each) for each in endpoint.parameters]
    if endpoint.request is not None:
        content = {"schema": schema_of[endpoint.request]}
        if endpoint.example is not None:
            content["example"] = json.loads(contract.encode(endpoint.example))
        operation["requestBody"] = {"required": True, "content": {JSON_TYPE: content}}
    return operation


def _operation_id(summary: str) -> str:
    """Return the words of a summary, run together, without articles."""
    words = [
        word
        for word in summary.replace("'s", "").replace(",", "").split()
        if word.lower() not in _ARTICLES
    ]
    return words[0].lower() + "".join(word.capitalize() for word in words[1:])


def _shared_headers(paths: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Describe each header line once, and return what the answers refer to from now on.

    A line that means several things, such as Cache-Control, is shared in its first meaning.
    """
    shared: dict[str, Any] = {}
    operations = [operation for path in paths.values() for operation in path.values()]
    for response in [each for one in operations for each in one["responses"].values()]:
        for name, line in response["headers"].items():
            if shared.setdefault(name, line) == line:
                response["headers"][name] = {"$ref": f"#/components/headers/{name}"}
    return shared


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place.value,
        "required": parameter.required or parameter.place is Place.PATH,
        "description": parameter.description,
        "schema": parameter.schema(),
        "example": parameter.sample(),
    }


def _described(components: dict[str, Any]) -> dict[str, Any]:
    """Keep the first paragraph of each docstring: the rest is for who reads the code."""
    return {
        name: schema | {"description": inspect.cleandoc(schema["description"]).split("\n\n")[0]}
        if "description" in schema
        else schema
        for name, schema in components.items()
    }
