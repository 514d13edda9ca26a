"""The OTP Service behind mutual TLS: who gets a word with it, and who does not."""

import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from prometheus_client import CollectorRegistry

from immuni.api import OtpAuthorisation
from immuni.backend.contract import HttpSettings, create_app
from immuni.backend.counting import DailyCounters
from immuni.backend.otp.http import otp_service
from immuni.backend.otp.settings import OtpSettings
from immuni.backend.otp_keys import OtpKeys
from immuni.clock import SystemClock
from immuni.database import open_pool
from immuni.deployment.certificate_care import (
    ReplacementStep,
    make_certificates,
    renew_certificates,
    replace_authority,
)
from immuni.deployment.certificate_metrics import CertificateMetrics
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.deployment.certification import (
    CertificateFiles,
    issue,
    issue_authority,
    read_identity,
    write_identity,
)
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import SystemEntropy
from immuni.otp import generate_otp
from immuni.portal.audit.events import Outcome
from immuni.portal.authorising.otp_service import OtpServiceClient
from immuni.web import MutualTls
from tests.integration.portal.serving import free_socket, listening

pytestmark = pytest.mark.anyio

CLOCK = SystemClock()
"""OpenSSL looks at the machine's clock."""


@dataclass(frozen=True)
class Host:
    """An OTP Service that listens.

    Attributes:
        port: Where.
        files: Its certificates.
        database: What it writes to.
        registry: What it counts in.
    """

    port: int
    files: InternalCertificates
    database: ServicesDatabase
    registry: CollectorRegistry

    async def post(self, context: ssl.SSLContext) -> int:
        """Authorise a code over a connection of its own, and return the status."""
        async with httpx.AsyncClient(verify=context, trust_env=False) as client:
            answer = await client.post(
                f"https://127.0.0.1:{self.port}/v1/otp",
                json={"otp": generate_otp(SystemEntropy()), "symptoms_started_on": today()},
            )
            return answer.status_code

    def authorised(self) -> int:
        """Return how many requests the handler was reached by."""
        with psycopg.connect(self.database.owner) as owner:
            row = owner.execute("SELECT count(*) FROM ingestion.otp").fetchone()
        assert row
        count: int = row[0]
        return count

    def portal(self) -> OtpServiceClient:
        """Return the portal's client."""
        tls = MutualTls(self.files.trusted, self.files.client.certificate, self.files.client.key)
        return OtpServiceClient.over_mutual_tls(
            f"https://127.0.0.1:{self.port}", tls=tls, timeout=timedelta(seconds=10)
        )


def today() -> str:
    return CLOCK.now().date().isoformat()


@asynccontextmanager
async def hosting(database: ServicesDatabase, files: InternalCertificates) -> AsyncIterator[Host]:
    registry = CollectorRegistry()
    told = CertificateMetrics(registry).watch("server")
    tls = MutualTls(files.trusted, files.server.certificate, files.server.key, told)
    async with open_pool(database.otp, max_size=2) as pool:
        keys = OtpKeys({"k1": bytes(32)})
        service = otp_service(
            pool=pool,
            keys=keys,
            settings=OtpSettings(),
            counters=DailyCounters(),
            clock=CLOCK,
            gate=lambda _source: None,
        )
        app = create_app([service], settings=HttpSettings(), registry=CollectorRegistry())
        with free_socket() as listener:
            port = listener.getsockname()[1]
            async with listening(app, listener, clock=CLOCK, mutual_tls=tls):
                yield Host(port, files, database, registry)


@pytest.fixture
async def host(services_database: ServicesDatabase, tmp_path: Path) -> AsyncIterator[Host]:
    files = ensure_certificates(tmp_path / "certificates", clock=CLOCK)
    async with hosting(services_database, files) as opened:
        yield opened


def context(trusted: Path, client: CertificateFiles | None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(trusted))
    if client is not None:
        made.load_cert_chain(client.certificate, client.key)
    return made


def none(_files: InternalCertificates, _folder: Path) -> CertificateFiles | None:
    return None


def of_the_server(files: InternalCertificates, _folder: Path) -> CertificateFiles | None:
    return files.server


def of_another_authority(_files: InternalCertificates, folder: Path) -> CertificateFiles | None:
    return ensure_certificates(folder, clock=CLOCK).client


def of_a_namesake(files: InternalCertificates, folder: Path) -> CertificateFiles | None:
    """Signed by an authority that calls itself as ours does."""
    ours = read_identity(files.authority)
    assert ours
    namesake = issue_authority(ours.certificate.not_valid_before_utc + timedelta(minutes=5))
    assert namesake.certificate.subject == ours.certificate.subject
    names = [x509.DNSName("portal.localhost")]
    place = CertificateFiles(folder / "namesake.pem", folder / "namesake.key")
    write_identity(place, issue(namesake, names, ExtendedKeyUsageOID.CLIENT_AUTH, CLOCK.now()))
    return place


def expired(files: InternalCertificates, folder: Path) -> CertificateFiles | None:
    return of_time(files, folder, CLOCK.now() - timedelta(days=398))


def not_valid_yet(files: InternalCertificates, folder: Path) -> CertificateFiles | None:
    return of_time(files, folder, CLOCK.now() + timedelta(days=1))


def of_time(files: InternalCertificates, folder: Path, start: datetime) -> CertificateFiles:
    authority = read_identity(files.authority)
    assert authority
    names = [x509.DNSName("portal.localhost")]
    place = CertificateFiles(folder / "other.pem", folder / "other.key")
    write_identity(place, issue(authority, names, ExtendedKeyUsageOID.CLIENT_AUTH, start))
    return place


Stranger = Callable[[InternalCertificates, Path], CertificateFiles | None]


async def test_the_portals_certificate_is_let_in(host: Host) -> None:
    assert await host.post(context(host.files.trusted, host.files.client)) == 204
    assert host.authorised() == 1


@pytest.mark.parametrize(
    "stranger",
    [none, of_the_server, of_another_authority, of_a_namesake, expired, not_valid_yet],
)
async def test_nobody_else_reaches_the_handler(
    host: Host, tmp_path: Path, stranger: Stranger
) -> None:
    (tmp_path / "theirs").mkdir()
    theirs = stranger(host.files, tmp_path / "theirs")

    with pytest.raises(httpx.TransportError):
        await host.post(context(host.files.trusted, theirs))

    assert host.authorised() == 0
    assert await host.post(context(host.files.trusted, host.files.client)) == 204


def only(made: ssl.SSLContext, version: ssl.TLSVersion) -> ssl.SSLContext:
    made.set_ciphers("DEFAULT@SECLEVEL=0")  # Or this side would not even ask for the old ones.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made.minimum_version = made.maximum_version = version
    return made


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> str | None:
    """Let two contexts agree, without a network, and return on which version."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(back, there, server_hostname="localhost"),
        server.wrap_bio(there, back, server_side=True),
    )
    for end in ends * 3:
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return ends[0].version()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_1_2_and_later_are_spoken(host: Host, version: ssl.TLSVersion) -> None:
    assert await host.post(only(context(host.files.trusted, host.files.client), version)) == 204


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_older_tls_is_refused(host: Host, version: ssl.TLSVersion) -> None:
    client = only(context(host.files.trusted, host.files.client), version)
    lenient = only(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), version)
    lenient.load_cert_chain(host.files.server.certificate, host.files.server.key)
    assert shake_hands(client, lenient), "this client would speak it"

    with pytest.raises(httpx.TransportError):
        await host.post(client)

    assert host.authorised() == 0


async def test_without_tls_there_is_no_answer(host: Host) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(f"http://127.0.0.1:{host.port}/v1/otp", json={})


async def authorised_by(client: OtpServiceClient) -> Outcome:
    code = OtpAuthorisation(
        otp=generate_otp(SystemEntropy()), symptoms_started_on=date.fromisoformat(today())
    )
    return await client.authorise(code, request_id="1")


async def test_renewed_certificates_serve_new_connections_without_a_restart(host: Host) -> None:
    before = read_identity(host.files.server)
    portal, end = host.portal(), host.registry.get_sample_value
    assert await authorised_by(portal) is Outcome.AUTHORISED
    told = end("immuni_certificate_end_seconds", {"certificate": "server"})
    later = CLOCK.now() + timedelta(seconds=60)

    renewed = renew_certificates(host.files, within=timedelta(days=400), now=later)

    after = read_identity(host.files.server)
    assert before
    assert after
    assert renewed == ["server", "client"]
    assert after.names() == before.names()
    assert await authorised_by(portal) is Outcome.AUTHORISED, "a standing connection goes on"
    await portal.close()
    portal = host.portal()
    assert await authorised_by(portal) is Outcome.AUTHORISED
    await portal.close()
    ends_at = after.certificate.not_valid_after_utc.timestamp()
    assert end("immuni_certificate_end_seconds", {"certificate": "server"}) == ends_at != told


async def test_the_authority_is_replaced_without_a_request_lost(host: Host, tmp_path: Path) -> None:
    old = tmp_path / "old"
    ensure_certificates(old, clock=CLOCK)
    for path in host.files.folder.iterdir():
        (old / path.name).write_bytes(path.read_bytes())
    stranger = InternalCertificates(old)
    now = CLOCK.now()
    portal = host.portal()

    for step in ReplacementStep:
        for _ in range(2):
            replace_authority(host.files, step, now=now)
            assert await authorised_by(portal) is Outcome.AUTHORISED
            fresh = host.portal()
            assert await authorised_by(fresh) is Outcome.AUTHORISED
            await fresh.close()
        if step is not ReplacementStep.FINISH:
            # A machine to which nothing was copied since `prepare` is still let in.
            assert await host.post(context(host.files.trusted, stranger.client)) == 204
    await portal.close()
    with pytest.raises(httpx.TransportError):
        await host.post(context(host.files.trusted, stranger.client))
    assert not host.files.next_authority.key.exists()


async def test_half_written_files_leave_the_old_ones_in_use(host: Host) -> None:
    good = host.files.server.key.read_bytes()
    host.files.server.key.write_bytes(b"half a key")

    assert await host.post(context(host.files.trusted, host.files.client)) == 204

    host.files.server.key.write_bytes(good)
    host.files.server.certificate.unlink()
    assert await host.post(context(host.files.trusted, host.files.client)) == 204


async def test_certificates_for_given_hosts_are_good_for_those_only(
    services_database: ServicesDatabase, tmp_path: Path
) -> None:
    files = InternalCertificates(tmp_path / "certificates")
    make_certificates(
        files,
        otp_hosts=["otp.internal.example", "::1"],
        portal_hosts=["portal.internal.example"],
        now=CLOCK.now(),
    )
    async with hosting(services_database, files) as host:
        with pytest.raises(httpx.ConnectError, match=r"127\.0\.0\.1"):
            await host.post(context(files.trusted, files.client))
        by_name = context(files.trusted, files.client)
        async with httpx.AsyncClient(verify=by_name, trust_env=False) as client:
            answer = await client.get(
                f"https://127.0.0.1:{host.port}/livez",
                extensions={"sni_hostname": "otp.internal.example"},
            )
        assert answer.status_code == 200
