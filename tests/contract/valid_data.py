"""What schemathesis cannot know of the API, loaded by it: valid data, and what is no failure.

The documents say what a request looks like. That a code must be alive, a key recent and a province
real stands in words only: requests that are valid by the document are made valid by these rules.
"""

import base64
import os
import re
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from itertools import count
from typing import Any, Final

import httpx
import schemathesis

from immuni.api.headers import AUTHORIZATION, CLIENT_CLOCK, DUMMY_DATA, REQUEST_ID
from immuni.entropy import SeededEntropy
from immuni.otp import Otp, generate_otp, otp_hash
from tests.intake import NOW, ONSET

OTP_URL: Final = "IMMUNI_TESTED_OTP_URL"
"""Names the variable that says where codes are authorised."""
_NUMBERS: Final = count()
"""Seeds, because hypothesis sets every generator back before each request."""
_DAY: Final = (NOW - timedelta(days=2)).date().isoformat()
_CLOCK: Final = int(NOW.timestamp())
_DAYS: Final = frozenset({"date", "symptoms_started_on", "tested_on", "last_risky_exposure_on"})
_SPACING: Final = 70
"""Intervals between two keys: thirty of them fit into fifteen days."""
_BEARER: Final = re.compile(r"Bearer [0-9a-f]{64}")


def _is_missing_bearer(failure: Any, response: Any) -> bool:  # noqa: ANN401 - not typed
    named = getattr(failure, "header_name", "").lower() == AUTHORIZATION.lower()
    return named and response.status_code == HTTPStatus.BAD_REQUEST


EXEMPT: Final[dict[str, tuple[str, Callable[[Any, Any], bool]]]] = {
    "MissingHeaderNotRejected": (
        "A missing bearer is a 400: phones take a 401 for a code that is not authorised.",
        _is_missing_bearer,
    ),
}
"""Failures that are none: by name, why, and when."""


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:  # noqa: ANN401
    """Drop what is exempt."""
    _, applies = EXEMPT.get(type(failure).__name__, ("", lambda *_: False))
    return not applies(failure, response)


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:  # noqa: ANN401
    """Make a request genuine, and one that the document allows also one that the rules allow."""
    headers = case.headers
    # A dummy is answered well, whatever is wrong with it.
    if headers.get(DUMMY_DATA) == "1":
        headers[DUMMY_DATA] = "0"
    if _BEARER.fullmatch(headers.get(AUTHORIZATION) or "") and "/ingestion/" in case.path:
        headers[AUTHORIZATION] = f"Bearer {otp_hash(_living_code())}"
    if re.fullmatch("[0-9]{1,11}", headers.get(CLIENT_CLOCK) or ""):
        headers[CLIENT_CLOCK] = str(_CLOCK)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        _complete(case.path, case.body)
        if "version" in case.path_parameters:
            case.path_parameters["version"] = "1"
        if case.path == "/v1/configuration/publish":
            headers[REQUEST_ID] = f"request-{next(_NUMBERS)}"
        if "index" in case.path_parameters:
            case.path_parameters["index"] = str(int(case.path_parameters["index"]) % 4 + 1)


def _fresh(purpose: str) -> SeededEntropy:
    return SeededEntropy(f"{purpose} {next(_NUMBERS)}")


def _living_code() -> Otp:
    otp = generate_otp(_fresh("alive"))
    body = {"otp": otp, "symptoms_started_on": ONSET.isoformat()}
    httpx.post(f"{os.environ[OTP_URL]}/v1/otp", json=body, trust_env=False).raise_for_status()
    return otp


def _complete(path: str, body: Any) -> None:  # noqa: ANN401 - whatever was generated
    if not isinstance(body, dict):
        return
    if path.startswith("/v1/configuration/"):
        _complete_set(path, body)
    if path == "/v1/otp":
        body["otp"] = generate_otp(_fresh("asked"))
        if body.get("symptoms_started_on") is None:
            body["tested_on"] = _DAY
    if "province" in body:
        body["province"] = "RM"
    for name, value in body.items():
        body[name] = _corrected(name, value)
    for number, tek in enumerate(body.get("teks", ())):
        tek["key_data"] = base64.b64encode(_fresh("key").token(16)).decode("ascii")
        tek["rolling_start_number"] = _CLOCK // 600 - _SPACING * (number + 1)
        tek["rolling_period"] = min(tek.get("rolling_period", _SPACING), _SPACING)


def _complete_set(path: str, body: Any) -> None:  # noqa: ANN401 - whatever was generated
    """Name the settings that there are, the version in force, and a change with its dangers."""
    if path.endswith("/check"):
        body["against"] = None
    else:
        url = f"{os.environ[OTP_URL]}/v1/configuration/in-force"
        body["based_on"] = httpx.get(url, trust_env=False).raise_for_status().json()["version"]
        value = 2 + next(_NUMBERS) % 19_000
        place = {"platform": "ios", "from_build": 1, "withdrawn": False}
        body["entries"] = [{**place, "name": "minimum_build_version", "value": value}]
        body["author"] = f"not-{body['approver']}"[:100]
        body["dangers"] = [
            f"ios from build 1: builds below {value} detect no more until they are updated"
        ]


def _corrected(name: str, value: Any) -> Any:  # noqa: ANN401 - any part of a body
    """Return a member with recent days, and with numbers in the one spelling that the API takes.

    To JSON Schema 1.0 is an integer; to the API it is not.
    """
    match value:
        case dict():
            return {inner: _corrected(inner, content) for inner, content in value.items()}
        case list():
            return [_corrected(name, each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case str() if name in _DAYS:
            return _DAY
        case _:
            return value
