"""The HTTP API: OpenAPI documents, and the tables that people read, from the same source."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from immuni.api import ErrorCode
from immuni.backend.errors import ANSWERS
from immuni.web import Endpoint, openapi_document
from scripts.reference.json_schema import members, rule
from scripts.reference.markdown import code, table
from scripts.reference.services import api_contract, services

_REFUSALS: Final[Mapping[tuple[int, int], str]] = {
    (400, 1001): "Body, header, query or path is not as defined, or breaks a rule of its "
    "service. Nothing was consumed or kept.",
    (401, 1101): "The OTP was never authorised, has expired, or was used for other keys.",
    (404, 1000): "There is nothing at this address.",
    (404, 1300): "No chunk with this number can be downloaded, no longer or not yet.",
    (404, 1301): "There are no chunks: nothing was published yet, or all of it has expired.",
    (404, 1501): "No set of settings of this version was ever published.",
    (405, 1000): "The address knows other methods; `Allow` names them.",
    (408, 1000): "The body did not arrive within `body_timeout`.",
    (409, 1400): "The OTP is authorised already, and alive.",
    (409, 1500): "Another set of settings was published since; nothing was written.",
    (409, 1502): "The request's id stands for another publication; nothing was written.",
    (413, 1000): "The body is longer than `max_body_size`; the rest of it was not read.",
    (416, 1000): "The range begins behind the end; `Content-Range` tells the length.",
    (429, 1002): "Too many wrong codes from one source; `Retry-After` tells when to come again.",
    (500, 1000): "A fault of ours.",
    (503, 1000): "Overload, or a database or store that does not answer; with `Retry-After`.",
}
_FRAMEWORK_S_OWN: Final = {
    (int(status), int(ErrorCode.GENERAL))
    for status in (
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )
}


class UndescribedRefusalError(LookupError):
    """The code refuses in a way that no sentence here describes, or a sentence is left over."""


@cache
def openapi_documents() -> dict[str, dict[str, Any]]:
    """Return the OpenAPI document of each service, by the service's name."""
    contract = api_contract()
    return {name: openapi_document([service], contract) for name, service in services().items()}


def error_table() -> str:
    """Return every status and code with which the services refuse.

    Raises:
        UndescribedRefusalError: The sentences above are not those of the code.
    """
    told = {(int(answer.status), int(answer.code)) for answer in ANSWERS.values()}
    if differing := _REFUSALS.keys() ^ (told | _FRAMEWORK_S_OWN):
        raise UndescribedRefusalError(f"status and error_code: {sorted(differing)}")
    rows = [(str(status), str(number), text) for (status, number), text in _REFUSALS.items()]
    return table(("HTTP", "`error_code`", "when"), rows)


def endpoints(service: str) -> str:
    """Return what each endpoint of a service takes and answers."""
    document = openapi_documents()[service]
    schemas = document["components"]["schemas"]
    return "\n\n".join(
        _endpoint(endpoint, document["paths"][endpoint.path][endpoint.method.lower()], schemas)
        for endpoint in services()[service].endpoints
    )


def configuration_settings() -> str:
    """Return every Configuration Setting, with what it may be and its default."""
    schemas = openapi_documents()["configuration"]["components"]["schemas"]
    rows = [
        (code(member.path), member.rule, member.default)
        for member in members(schemas["ConfigurationSettings"], schemas)
    ]
    return table(("name", "allowed", "default"), rows)


def _endpoint(endpoint: Endpoint[Any], operation: Any, schemas: Any) -> str:  # noqa: ANN401 - JSON
    parts = [f"### `{endpoint.method} {endpoint.path}`", f"{endpoint.summary}."]
    if "parameters" in operation:
        rows = [
            (
                code(each["name"]) + ("" if each["required"] else ", optional"),
                each["in"],
                rule(each["schema"], schemas),
                each["description"],
            )
            for each in operation["parameters"]
        ]
        parts.append(table(("parameter", "in", "allowed", "meaning"), rows))
    if "requestBody" in operation:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        parts.append(_members(body, schemas))
    parts.append(_answers(endpoint, operation["responses"]))
    return "\n\n".join(parts)


def _members(body: Any, schemas: Any) -> str:  # noqa: ANN401 - JSON
    rows = [
        (code(_shortened(member.path)), member.rule, member.default or "required")
        for member in members(body, schemas)
    ]
    return table(("member of the body", "allowed", "where it is missing"), rows)


def _shortened(path: str) -> str:
    """Leave out what stands in the rows above anyway."""
    *outer, parent, name = ["", *path.split(".")]
    return f"…{parent}.{name}" if any(outer) else path


def _answers(endpoint: Endpoint[Any], responses: Mapping[str, Any]) -> str:
    told = ", ".join(
        f"{status} ({response['description'].rpartition('error_code ')[2]})"
        if "error_code" in response["description"]
        else status
        for status, response in responses.items()
    )
    caching = f"On success `Cache-Control: {endpoint.cache_control}`."
    shaped = " The answer is [shaped](#equal-answers)." if endpoint.layer is not None else ""
    return f"Answers: {told}. {caching}{shaped}"
