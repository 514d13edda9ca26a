"""What a phone in the field sends, byte for byte, and what the portal sends; none of our code."""

import base64
import hashlib
import json
import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any

import httpx

from immuni.clock import SystemClock
from immuni.entropy import SystemEntropy
from immuni.otp import Otp, generate_otp
from tests.running import eventually
from tests.unit.cli.command_line import immuni

INTERVALS_OF_A_DAY = 144
SECONDS_OF_AN_INTERVAL = 600


def today() -> date:
    """Return the UTC day of the servers, whose clock is the machine's."""
    return SystemClock().now().date()


def new_otp() -> Otp:
    """Draw a code."""
    return generate_otp(SystemEntropy())


@dataclass(frozen=True)
class ExistingPhone:
    """A phone with one key for each of the past days, and today's.

    Attributes:
        told: What the running system announced.
        keys: Key data by age in days.
    """

    told: Mapping[str, Any]
    keys: Mapping[int, bytes] = field(
        default_factory=lambda: {age: os.urandom(16) for age in range(14)}
    )

    def check(self, otp: str) -> httpx.Response:
        """Ask whether the operator has authorised the code."""
        return self._post("/v1/ingestion/check-otp", otp, {"padding": "0" * 1000})

    def upload(self, otp: str) -> httpx.Response:
        """Send all keys."""
        body = {
            "teks": self._teks(),
            "province": "MI",
            "exposure_detection_summaries": [],
            "padding": "A" * 2000,
        }
        now = SystemClock().now()
        clock = {"Immuni-Client-Clock": str(int(now.timestamp()))}
        return self._post("/v1/ingestion/upload", otp, body, clock)

    def _teks(self) -> list[dict[str, object]]:
        midnight = (today() - date(1970, 1, 1)) // timedelta(seconds=SECONDS_OF_AN_INTERVAL)
        return [
            {
                "key_data": base64.b64encode(data).decode(),
                "rolling_start_number": midnight - age * INTERVALS_OF_A_DAY,
                "rolling_period": INTERVALS_OF_A_DAY,
            }
            for age, data in self.keys.items()
        ]

    def _post(
        self, path: str, otp: str, body: Mapping[str, object], more: Mapping[str, str] | None = None
    ) -> httpx.Response:
        headers = {
            "Authorization": f"Bearer {hashlib.sha256(otp.encode()).hexdigest()}",
            "Content-Type": "application/json; charset=UTF-8",
            "Immuni-Dummy-Data": "0",
            **(more or {}),
        }
        content = json.dumps(body)
        with httpx.Client(base_url=self.told["upload"], trust_env=False, timeout=30) as client:
            return client.post(path, content=content, headers=headers)


def portal_tls(told: Mapping[str, Any]) -> ssl.SSLContext:
    """Return what the portal's side of mutual TLS needs."""
    context = ssl.create_default_context(cafile=told["otp_ca"])
    context.load_cert_chain(told["otp_client_cert"], told["otp_client_key"])
    return context


def authorise(told: Mapping[str, Any], otp: str) -> httpx.Response:
    """Do what the portal does when an operator has entered a code."""
    body = {"otp": otp, "symptoms_started_on": (today() - timedelta(days=1)).isoformat()}
    with httpx.Client(verify=portal_tls(told), trust_env=False, timeout=30) as client:
        return client.post(f"{told['otp']}/v1/otp", json=body)


def index(told: Mapping[str, Any]) -> tuple[int, int]:
    """Return the oldest and the newest chunk's number, zeros where there is no chunk."""
    answer = httpx.get(f"{told['get']}/v1/keys/index", trust_env=False, timeout=30)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return 0, 0
    return answer.json()["oldest"], answer.json()["newest"]


def chunks(told: Mapping[str, Any], numbers: Sequence[int]) -> list[bytes]:
    """Download chunks."""
    return [
        httpx.get(f"{told['get']}/v1/keys/{number}", trust_env=False, timeout=30)
        .raise_for_status()
        .content
        for number in numbers
    ]


def publish_an_upload(told: Mapping[str, Any]) -> int:
    """Upload and publish, and return the newest chunk's number as soon as it is there."""
    _, before = index(told)
    phone, otp = ExistingPhone(told), new_otp()
    assert authorise(told, otp).is_success
    assert phone.upload(otp).is_success
    published = immuni("jobs", "run", "publish", "--data-dir", told["data_dir"])
    assert published.code == 0, published.err
    return eventually(lambda: _newest_after(before, told))


def _newest_after(number: int, told: Mapping[str, Any]) -> int | None:
    _, newest = index(told)
    return newest if newest > number else None
