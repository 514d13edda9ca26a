"""What phones and operators send shows nowhere: not in logs, not in metrics, not in answers.

Marked secrets go to every endpoint of every service, well-formed and malformed, from an address
that can be recognised; then the services break down inside. The processes are those that
`immuni serve` starts, with the logs that it sets up, at their most talkative.
"""

import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest
from psycopg import sql

from immuni.backend.otp_keys import OtpKeys
from immuni.clock import SystemClock
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from immuni.deployment.layout import Layout
from immuni.deployment.provision import ensure_keys
from immuni.deployment.roles import Ports, Role
from immuni.deployment.supervisor import READY_LINE
from tests.contract.marked_requests import (
    BEHIND_A_PROXY,
    PROVINCE,
    Asked,
    Secrets,
    malformed,
    well_formed,
)
from tests.contract.marks import Marks
from tests.postgres import Postgres
from tests.running import a_free_base_port, immuni

UPLOAD: Final = "/v1/ingestion/upload"
ROLES: Final = (Role.GET, Role.UPLOAD, Role.ANALYTICS, Role.OTP, Role.JOBS)
ADDRESSES: Final = {"127.0.0.1": "127.77.1.9", "::1": "::1"}
"""Where the servers listen, and from where they are asked."""
WELL_ANSWERED: Final = {200, 201, 202, 204, 404}
"""404 for chunks of which there is none."""

pytestmark = pytest.mark.timeout(300)


@dataclass
class Watched:
    """The roles of a system, and everything that came out of them."""

    host: str
    layout: Layout
    ports: Ports
    marks: Marks = field(default_factory=Marks)
    answers: bytearray = field(default_factory=bytearray)
    clients: dict[Role, httpx.Client] = field(default_factory=dict)

    def ask(self, role: Role, asked: Asked) -> int:
        """Send a request, keep the answer, and return its status."""
        answer = self.clients[role].request(
            asked.method,
            httpx.URL(asked.path, query=asked.query.encode()) if asked.query else asked.path,
            headers=list(asked.headers),
            content=asked.body,
        )
        self.answers += repr(answer.headers.raw).encode() + answer.content
        return answer.status_code

    def document(self, role: Role) -> Any:  # noqa: ANN401 - JSON
        """Return what the services of a role say of themselves."""
        return self.clients[role].get("/openapi.json").raise_for_status().json()

    def logs(self) -> bytes:
        """Return what all processes have written so far."""
        return b"".join(path.read_bytes() for path in self.layout.logs.glob("*.log"))

    def metrics(self) -> bytes:
        """Return what all processes have counted so far, as it lies in their files."""
        return b"".join(path.read_bytes() for path in self.layout.metrics.glob("*.db"))

    def send(self, role: Role, request: bytes) -> None:
        """Send what no HTTP client would send, and keep what comes back."""
        own = ADDRESSES[self.host]
        with socket.create_connection(
            (self.host, self.ports.of(role)), timeout=60, source_address=(own, 0)
        ) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                self.answers += part


@pytest.fixture(params=ADDRESSES, ids=["IPv4", "IPv6"])
def watched(
    request: pytest.FixtureRequest,
    services_database: ServicesDatabase,
    analytics_database: AnalyticsDatabase,
    tmp_path: Path,
) -> Iterator[Watched]:
    commands = {role: immuni("serve", role) for role in ROLES}
    with running(
        commands, services_database, analytics_database, tmp_path, host=request.param
    ) as started:
        yield started


@contextmanager
def running(
    commands: dict[Role, list[str]],
    services_database: ServicesDatabase,
    analytics_database: AnalyticsDatabase,
    folder: Path,
    *,
    host: str,
) -> Iterator[Watched]:
    """Run roles of a system, each by its command, and watch them."""
    layout, ports = Layout(folder), Ports(a_free_base_port())
    layout.prepare()
    ensure_keys(layout, clock=SystemClock())
    ensure_certificates(layout.certificates, clock=SystemClock())
    layout.metrics.mkdir(parents=True, exist_ok=True)
    watched = Watched(host, layout, ports)
    own = ADDRESSES[watched.host]
    for address in (own, *BEHIND_A_PROXY):
        watched.marks.add_word("address", address)
    watched.marks.add_word("province", PROVINCE)
    environment = os.environ | {
        "IMMUNI_DATA_DIR": str(folder),
        "IMMUNI_BIND_HOST": watched.host,
        "IMMUNI_BASE_PORT": str(ports.base),
        "IMMUNI_CONFIGURATION_DATABASE_URL": services_database.configuration,
        "IMMUNI_REPORTING_DATABASE_URL": services_database.reporting,
        "IMMUNI_INGESTION_DATABASE_URL": services_database.ingestion,
        "IMMUNI_OTP_DATABASE_URL": services_database.otp,
        "IMMUNI_JOBS_DATABASE_URL": services_database.jobs,
        "IMMUNI_ANALYTICS_DATABASE_URL": analytics_database.analytics,
        "IMMUNI_OTP_KEYS": OtpKeys({"test": bytes(range(32))}).render(),
        "IMMUNI_EXPOSE_DOCS": "true",
        "IMMUNI_LOG_LEVEL": "debug",
        "IMMUNI_RESPONSE_FLOOR": "10ms",
        "IMMUNI_RESPONSE_MEAN": "1ms",
        "IMMUNI_TRUSTED_PROXIES": own,
        "PROMETHEUS_MULTIPROC_DIR": str(layout.metrics),
    }
    with ExitStack() as stack:
        started = [
            stack.enter_context(serving_role(command, environment, layout.log_of(role)))
            for role, command in commands.items()
        ]
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == READY_LINE
        for role in commands:
            watched.clients[role] = stack.enter_context(client_of(watched, role))
        yield watched


@contextmanager
def serving_role(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a role; what it writes goes to a file."""
    with (
        log.open("wb") as written,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=written
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()


def client_of(watched: Watched, role: Role) -> httpx.Client:
    """Return a client that comes from an address of its own."""
    files = InternalCertificates(watched.layout.certificates)
    tls = ssl.create_default_context(cafile=str(files.trusted))
    tls.check_hostname = False  # The certificate names no IPv6 address.
    tls.load_cert_chain(files.client.certificate, files.client.key)
    scheme = "https" if role is Role.OTP else "http"
    name = f"[{watched.host}]" if ":" in watched.host else watched.host
    transport = httpx.HTTPTransport(verify=tls, local_address=ADDRESSES[watched.host])
    base_url = f"{scheme}://{name}:{watched.ports.of(role)}"
    return httpx.Client(base_url=base_url, transport=transport, timeout=60)


def ask_well_formed(watched: Watched) -> dict[tuple[Role, str], int]:
    """Ask every endpoint for good, with secrets of its own; return what it answered.

    The code is authorised first, so that the upload gets as far as it can.
    """
    secrets = Secrets(watched.marks)
    return {
        (role, asked.path): watched.ask(role, asked)
        for role in (Role.OTP, Role.GET, Role.UPLOAD, Role.ANALYTICS)
        for asked in well_formed(watched.document(role), secrets)
    }


def check_nothing_shows(watched: Watched, postgres: Postgres) -> None:
    """Look for all marks in everything that came out of the processes and of the database."""
    assert b"request_answered" in watched.logs()
    assert b"immuni_http_requests_total" in watched.metrics()
    assert watched.marks.found_in(watched.logs()) == set()
    assert watched.marks.found_in(watched.metrics()) == set()
    assert watched.marks.found_in(bytes(watched.answers)) == set()
    assert watched.marks.found_in(server_log(postgres)) == set()


def server_log(postgres: Postgres) -> bytes:
    with psycopg.connect(postgres.admin_url()) as connection:
        ((folder,),) = connection.execute("SHOW data_directory").fetchall()
    return (Path(folder).parent / "server.log").read_bytes()


def test_nothing_that_was_sent_shows_anywhere_whatever_went_wrong(
    watched: Watched, services_database: ServicesDatabase, postgres: Postgres
) -> None:
    answers = ask_well_formed(watched)
    assert set(answers.values()) <= WELL_ANSWERED, answers
    secrets = Secrets(watched.marks)
    for role in (Role.OTP, Role.GET, Role.UPLOAD, Role.ANALYTICS):
        for good in well_formed(watched.document(role), secrets):
            for bad in malformed(good, secrets):
                watched.ask(role, bad)
    text = secrets.text.encode()
    for role in (Role.GET, Role.UPLOAD, Role.ANALYTICS):
        watched.send(role, b"GET /" + text + b" " + text + b"\r\n\r\n")
        watched.send(role, b"POST /v1/" + text + b" HTTP/1.1\r\nContent-Length: " + text)
        watched.send(
            role,
            b"POST /v1/ingestion/upload HTTP/1.1\r\nHost: x\r\nImmuni-Dummy-Data: 0\r\n"
            b"Content-Length: 1000\r\n\r\n" + text,
        )

    assert watched.ask(Role.JOBS, Asked("GET", "/metrics")) == HTTPStatus.OK
    check_nothing_shows(watched, postgres)

    break_down(watched, services_database)
    check_nothing_shows(watched, postgres)

    with cut_off(services_database, postgres):
        away = ask_well_formed(watched)
    assert {away[Role.OTP, "/v1/otp"], away[Role.UPLOAD, UPLOAD]} == {
        HTTPStatus.SERVICE_UNAVAILABLE
    }
    check_nothing_shows(watched, postgres)


def break_down(watched: Watched, database: ServicesDatabase) -> None:
    """Ask well-formed requests of services whose database refuses every row, and quotes it."""
    with psycopg.connect(database.owner, autocommit=True) as owner:
        for table in ("ingestion.upload", "ingestion.otp"):
            owner.execute(
                sql.SQL("ALTER TABLE {} ADD CONSTRAINT planted CHECK (false) NOT VALID").format(
                    sql.Identifier(*table.split("."))
                )
            )
        broken = ask_well_formed(watched)
        owner.execute("ALTER TABLE ingestion.otp DROP CONSTRAINT planted")
        broken |= ask_well_formed(watched)
    assert broken[Role.UPLOAD, UPLOAD] == HTTPStatus.INTERNAL_SERVER_ERROR


@contextmanager
def cut_off(database: ServicesDatabase, postgres: Postgres) -> Iterator[None]:
    """Have the database answer nobody."""
    name = psycopg.conninfo.conninfo_to_dict(database.owner)["dbname"]
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(postgres.admin_url(), autocommit=True) as admin:
        admin.execute(allow.format(sql.Identifier(str(name)), sql.SQL("false")))
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            admin.execute(allow.format(sql.Identifier(str(name)), sql.SQL("true")))


def test_a_process_that_tells_what_was_sent_is_found_out(
    services_database: ServicesDatabase, analytics_database: AnalyticsDatabase, tmp_path: Path
) -> None:
    telling = {Role.UPLOAD: [sys.executable, "-m", "tests.contract.telling_host"]}
    with running(
        telling, services_database, analytics_database, tmp_path, host="127.0.0.1"
    ) as watched:
        for asked in well_formed(watched.document(Role.UPLOAD), Secrets(watched.marks)):
            watched.ask(Role.UPLOAD, asked)

        found = watched.marks.found_in(watched.logs())
    assert found >= {"address", "bearer", "key data", "province", "text"}
