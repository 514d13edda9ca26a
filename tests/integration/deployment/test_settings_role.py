"""The role *settings* as it is wired: who gets a word with it, and with which login it works."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.clock import SystemClock
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.deployment.configured import Configured
from immuni.deployment.databases import ServicesDatabase
from immuni.deployment.roles import Role
from immuni.deployment.wiring import Wiring
from immuni.deployment.wiring.settings import servers
from immuni.entropy import SystemEntropy
from immuni.settings import gather
from tests.running import a_free_base_port

pytestmark = pytest.mark.anyio

IN_FORCE = "/v1/configuration/in-force"


@pytest.fixture
def wiring(services_database: ServicesDatabase, tmp_path: Path) -> Wiring:
    environment = {
        "IMMUNI_DATA_DIR": str(tmp_path),
        "IMMUNI_BASE_PORT": str(a_free_base_port()),
        "IMMUNI_SETTINGS_AUTHOR_DATABASE_URL": services_database.settings_author,
    }
    return Wiring.of(
        Configured.read(gather(environment, None)),
        clock=SystemClock(),
        entropy=SystemEntropy(),
        registry=CollectorRegistry(),
    )


@pytest.fixture
async def url(wiring: Wiring) -> AsyncIterator[str]:
    ensure_certificates(wiring.deployment.layout.certificates, clock=SystemClock())
    async with servers(wiring) as (server,):
        ready = asyncio.Event()

        async def tell() -> None:
            ready.set()

        server.on_ready = tell
        task = asyncio.create_task(server.serve())
        await ready.wait()
        yield wiring.deployment.url_of(Role.SETTINGS)
        server.stop()
        await task


def files_of(wiring: Wiring) -> InternalCertificates:
    return InternalCertificates(wiring.deployment.layout.certificates)


async def ask(url: str, wiring: Wiring, *, with_certificate: bool) -> httpx.Response:
    files = files_of(wiring)
    context = ssl.create_default_context(cafile=str(files.trusted))
    if with_certificate:
        context.load_cert_chain(files.client.certificate, files.client.key)
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        return await client.get(f"{url}{IN_FORCE}")


async def test_only_who_has_a_certificate_of_the_internal_authority_is_answered(
    wiring: Wiring, url: str
) -> None:
    with pytest.raises(httpx.TransportError):
        await ask(url, wiring, with_certificate=False)
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.get(url.replace("https", "http") + IN_FORCE)

    answer = await ask(url, wiring, with_certificate=True)

    assert answer.json() == {"version": 0, "entries": []}


async def test_few_connections_are_held_and_under_the_authors_login(
    wiring: Wiring, url: str, services_database: ServicesDatabase
) -> None:
    await asyncio.gather(*(ask(url, wiring, with_certificate=True) for _ in range(8)))

    with psycopg.connect(services_database.owner) as owner:
        logins = owner.execute(
            "SELECT usename FROM pg_stat_activity"
            " WHERE application_name = 'settings' AND datname = current_database()"
        ).fetchall()
    assert 1 <= len(logins) <= 2
    assert set(logins) == {("immuni_settings_author",)}
