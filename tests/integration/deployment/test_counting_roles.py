"""The roles that count, as `immuni serve` runs them: what they counted is kept when they stop."""

import os
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import psycopg
import pytest

from immuni.backend.otp_keys import OtpKeys
from immuni.clock import SystemClock
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.deployment.databases import ServicesDatabase
from immuni.deployment.layout import Layout
from immuni.deployment.provision import ensure_keys
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.deployment.supervisor import READY_LINE
from immuni.entropy import SeededEntropy
from immuni.otp import generate_otp, otp_hash
from tests.running import STOPPED_WITHIN_SECONDS, a_free_base_port, immuni

CLOCK: Final = SystemClock()
OTP: Final = generate_otp(SeededEntropy("counting roles"))


@pytest.fixture
def environment(services_database: ServicesDatabase, tmp_path: Path) -> dict[str, str]:
    """Provide both roles with what they need."""
    layout = Layout(tmp_path)
    layout.prepare()
    ensure_keys(layout, clock=CLOCK)
    ensure_certificates(layout.certificates, clock=CLOCK)
    return os.environ | {
        "IMMUNI_DATA_DIR": str(tmp_path),
        "IMMUNI_BASE_PORT": str(a_free_base_port()),
        "IMMUNI_INGESTION_DATABASE_URL": services_database.ingestion,
        "IMMUNI_OTP_DATABASE_URL": services_database.otp,
        "IMMUNI_OTP_KEYS": OtpKeys({"test": bytes(range(32))}).render(),
    }


@contextmanager
def serving(role: Role, environment: dict[str, str]) -> Iterator[None]:
    """Run a role until the end of the block, and stop it the way an init system does."""
    with subprocess.Popen(
        immuni("serve", role), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == READY_LINE
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOPPED_WITHIN_SECONDS) == 0
        finally:
            process.kill()


def authorise(environment: dict[str, str]) -> int:
    """Authorise the code the way the health information system does."""
    files = InternalCertificates(Layout(Path(environment["IMMUNI_DATA_DIR"])).certificates)
    tls = ssl.create_default_context(cafile=str(files.trusted))
    tls.load_cert_chain(files.client.certificate, files.client.key)
    port = Ports(int(environment["IMMUNI_BASE_PORT"])).of(Role.OTP)
    body = {"otp": OTP, "symptoms_started_on": CLOCK.now().date().isoformat()}
    return httpx.post(f"https://{LOOPBACK}:{port}/v1/otp", json=body, verify=tls).status_code


def send(environment: dict[str, str], path: str, body: object, *, dummy: int) -> int:
    """Send what a phone sends."""
    port = Ports(int(environment["IMMUNI_BASE_PORT"])).of(Role.UPLOAD)
    headers = {
        "Authorization": f"Bearer {otp_hash(OTP)}",
        "Immuni-Dummy-Data": str(dummy),
        "Immuni-Client-Clock": str(int(CLOCK.now().timestamp())),
    }
    url = f"http://{LOOPBACK}:{port}/v1/ingestion/{path}"
    return httpx.post(url, json=body, headers=headers).status_code


def test_a_stop_keeps_what_was_counted(
    environment: dict[str, str], services_database: ServicesDatabase
) -> None:
    upload = {"teks": [], "province": "RM", "padding": "x"}
    with serving(Role.OTP, environment), serving(Role.UPLOAD, environment):
        assert authorise(environment) == 204
        for dummy in (1, 0):
            assert send(environment, "check-otp", {"padding": "x"}, dummy=dummy) == 204
            assert send(environment, "upload", upload, dummy=dummy) == 204

    with psycopg.connect(services_database.jobs) as connection:
        rows = connection.execute(
            "SELECT name, sum(count)::int FROM ingestion.daily_counter GROUP BY name ORDER BY name"
        ).fetchall()
    assert rows == [("authorised", 1), ("checked", 1), ("delay:<30s", 1)]
