"""The published day comes: intake closes, publishing stops, and everything is deleted."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry
from psycopg import AsyncConnection

from immuni.api import Platform
from immuni.backend.chunks import ChunkName
from immuni.backend.configuration.http import configuration_service
from immuni.backend.configuration.rules import SettingEntry
from immuni.backend.configuration.store import publish
from immuni.backend.contract import HttpSettings, create_app
from immuni.backend.following import FollowingSettings
from immuni.backend.infectiousness import Diagnosis
from immuni.backend.jobs import Parts, jobs, run_job
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.purging import PurgeIncompleteError
from immuni.backend.reporting.http import ReportingSettings, reporting_service
from immuni.backend.retention import RetentionSettings
from immuni.backend.service_end import ServiceEnd, ServiceEndedError
from immuni.clock import ManualClock
from immuni.deployment.certificates import ensure_certificates
from immuni.deployment.configured import Configured
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from immuni.deployment.layout import Layout
from immuni.deployment.provision import ensure_keys
from immuni.deployment.serving import Server
from immuni.deployment.wiring import Wiring, analytics, otp, upload
from immuni.entropy import SeededEntropy
from immuni.settings import Source
from immuni.web import OverloadLimiter, Service
from tests.publishing import NOW, OTP_KEYS, Press, keep_upload, keys_of_days

TABLE = jobs(chunk_period=PublishingSettings().chunk_period)
END: Final = NOW.date() + timedelta(days=3)
YESTERDAY = NOW.date() - timedelta(days=1)
ILL = Diagnosis(NOW.date() - timedelta(days=4), None)
_HOSTS: Final = (upload, analytics, otp)

pytestmark = pytest.mark.anyio


async def announce(database: ServicesDatabase, ends_on: date | None) -> None:
    """Publish the day, or its withdrawal, to all phones."""
    value = None if ends_on is None else ends_on.isoformat()
    entries = [SettingEntry(each, "service_end_date", 1, value) for each in Platform]
    async with await AsyncConnection.connect(database.owner) as connection:
        await publish(connection, entries, author="test", reason="the end", now=NOW)


@pytest.fixture
def wiring(
    tmp_path: Path,
    services_database: ServicesDatabase,
    analytics_database: AnalyticsDatabase,
    clock: ManualClock,
) -> Wiring:
    """Put processes of the intake's roles together, with the settings of a deployment."""
    layout = Layout(tmp_path / "system")
    layout.prepare()
    ensure_keys(layout, clock=clock)
    ensure_certificates(layout.certificates, clock=clock)
    texts = {
        "data_dir": str(layout.root),
        "otp_keys": OTP_KEYS.render(),
        "ingestion_database_url": services_database.ingestion,
        "otp_database_url": services_database.otp,
        "analytics_database_url": analytics_database.analytics,
        "response_floor": "10ms",
        "response_mean": "1ms",
        "refresh_poll": "100ms",
    }
    return Wiring.of(
        Configured.read(Source(texts, dict.fromkeys(texts, "the test"))),
        clock=clock,
        entropy=SeededEntropy("end"),
        registry=CollectorRegistry(),
    )


@asynccontextmanager
async def hosts(wiring: Wiring) -> AsyncIterator[dict[ModuleType, httpx.AsyncClient]]:
    """Start every role that takes something in."""
    async with AsyncExitStack() as stack:
        clients = {}
        for role in _HOSTS:
            [server] = cast(
                "list[Server]",
                await stack.enter_async_context(
                    role.servers(replace(wiring, registry=CollectorRegistry()))
                ),
            )
            app = cast("Any", server.config.app)
            clients[role] = await stack.enter_async_context(_client(app))
        yield clients


@asynccontextmanager
async def _client(app: Any) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ANN401 - uvicorn's type
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        yield client


async def knocks(clients: dict[ModuleType, httpx.AsyncClient]) -> dict[str, tuple[int, str]]:
    """Return the answers to a request of each kind: status, and code where there is one."""
    genuine = {"Authorization": f"Bearer {'0' * 64}", "Immuni-Dummy-Data": "0"}
    dummy = genuine | {"Immuni-Dummy-Data": "1"}
    requests: Sequence[tuple[str, ModuleType, str, dict[str, str]]] = [
        ("check", upload, "/v1/ingestion/check-otp", genuine),
        ("check, dummy", upload, "/v1/ingestion/check-otp", dummy),
        ("upload", upload, "/v1/ingestion/upload", genuine),
        ("upload, dummy", upload, "/v1/ingestion/upload", dummy),
        ("authorisation", otp, "/v1/otp", {}),
        ("token", analytics, "/v1/analytics/apple/token", {}),
        ("ios", analytics, "/v1/analytics/apple/operational-info", genuine),
        ("ios, dummy", analytics, "/v1/analytics/apple/operational-info", dummy),
        ("android, dummy", analytics, "/v1/analytics/google/operational-info", dummy),
    ]
    bodies: dict[str, object] = {
        "check": {"padding": ""},
        "authorisation": {"otp": "9K2RAY8UUQ", "symptoms_started_on": YESTERDAY.isoformat()},
        "token": {"analytics_token": "0" * 128, "device_token": "AAAA"},
    }
    answers = {}
    for name, role, path, headers in requests:
        reply = await clients[role].post(path, json=bodies.get(name, {}), headers=headers)
        answers[name] = (
            reply.status_code,
            str(reply.json()["error_code"]) if reply.content else "",
        )
    return answers


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Ask again until it is so; pytest-timeout ends what never comes."""
    while not await condition():  # noqa: ASYNC110 - a follower rings no bell for others
        await asyncio.sleep(0)


async def test_from_the_day_on_intake_answers_503_dummies_alike_and_settings_stay(
    wiring: Wiring, parts: Parts, press: Press, clock: ManualClock
) -> None:
    await announce(press.database, END)
    await run_job("service-end", TABLE, parts)
    async with hosts(wiring) as clients:
        clock.advance(timedelta(days=2))
        assert {status for status, _ in (await knocks(clients)).values()}.isdisjoint({503})

        clock.advance(timedelta(days=1))
        closed = await knocks(clients)
        assert set(closed.values()) == {(503, "1000")}, closed
        service = configuration_service(
            database_url=press.database.configuration,
            signer=lambda: press.signer,
            clock=clock,
            following=FollowingSettings(),
        )
        settings = await ask(service, "/v1/settings?platform=ios&build=1")
        assert settings.json()["service_end_date"] == END.isoformat()

        # A clock that is set back, or a day that is taken back, opens it again.
        clock.advance(-timedelta(days=1))
        assert {status for status, _ in (await knocks(clients)).values()}.isdisjoint({503})
        clock.advance(timedelta(days=1))
        await announce(press.database, None)
        await run_job("service-end", TABLE, parts)

        async def is_open() -> bool:
            return all(status != 503 for status, _ in (await knocks(clients)).values())

        await until(is_open)


async def test_intake_stays_closed_until_somebody_could_read_the_day(
    services_database: ServicesDatabase, clock: ManualClock
) -> None:
    end = ServiceEnd.of_services(
        services_database.ingestion, clock=clock, settings=FollowingSettings()
    )
    with pytest.raises(ServiceEndedError, match="not read"):
        end.check("source")
    async with end.followed():
        end.check("source")


async def test_what_was_counted_before_the_end_is_not_added_after_it(
    wiring: Wiring, press: Press, clock: ManualClock
) -> None:
    await announce(press.database, END)
    async with hosts(wiring) as clients:
        assert (await knocks(clients))["authorisation"] == (204, "")
    counted = press.query("DELETE FROM ingestion.daily_counter RETURNING name, count")
    assert counted == [("authorised", 1)]

    async with hosts(wiring) as clients:
        clock.advance(timedelta(days=2))
        assert (await knocks(clients))["authorisation"] == (204, "")
        clock.advance(timedelta(days=1))

    assert press.query("SELECT FROM ingestion.daily_counter") == []


async def fill(parts: Parts, press: Press, analytics_database: AnalyticsDatabase) -> None:
    """Have something of each kind, and a file that an interrupted publisher left."""
    await keep_upload(press.database, keys_of_days(YESTERDAY, days=3, seed="a"), ILL)
    await parts.publisher.publish()
    await keep_upload(press.database, keys_of_days(YESTERDAY, days=3, seed="b"), ILL)
    data = b"left behind"
    await press.chunks.write(ChunkName.of(77, data), data)
    with psycopg.connect(press.database.owner) as connection:
        connection.execute(
            """
            INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at)
            VALUES ('k', sha256(''), %(day)s, %(now)s, 'infinity')
            """,
            {"day": YESTERDAY, "now": NOW},
        )
        connection.execute(
            "INSERT INTO ingestion.outbox (key_id, sealed, received_on) VALUES ('k', '', %s)",
            [NOW.date()],
        )
        connection.execute(
            "INSERT INTO ingestion.daily_counter VALUES (%s, 'authorised', 1)", [NOW.date()]
        )
    with psycopg.connect(analytics_database.owner) as connection:
        connection.execute("SELECT analytics.open_day(%s)", [NOW.date()])
        connection.execute(
            "INSERT INTO analytics.token VALUES (sha256(''), date_trunc('month', %s::date))",
            [NOW.date()],
        )
        connection.execute(
            "INSERT INTO analytics.salt VALUES (decode(repeat('00', 16), 'hex'), %s)", [NOW.date()]
        )
        connection.execute(
            "INSERT INTO analytics.epidemiological_info VALUES (%s, 'RM', 'none', '[]')",
            [NOW.date()],
        )
        connection.execute("INSERT INTO analytics.received VALUES (gen_random_uuid())")
        connection.execute(
            "INSERT INTO analytics.authorisation VALUES (sha256(''), '', 'check', 0, %s)",
            [NOW.date()],
        )


def kept(press: Press, analytics_database: AnalyticsDatabase) -> int:
    """Count everything that is kept of people."""
    [(here,)] = press.query(
        """
        SELECT (SELECT count(*) FROM ingestion.otp) + (SELECT count(*) FROM ingestion.upload)
             + (SELECT count(*) FROM ingestion.outbox) + (SELECT count(*) FROM publishing.chunk)
             + (SELECT count(*) FROM publishing.key)
             + (SELECT count(*) FROM ingestion.daily_counter)
        """
    )
    with psycopg.connect(analytics_database.owner) as connection:
        there = connection.execute(
            """
            SELECT (SELECT count(*) FROM analytics.epidemiological_info)
                 + (SELECT count(*) FROM analytics.operational_info)
                 + (SELECT count(*) FROM analytics.token)
                 + (SELECT count(*) FROM analytics.authorisation)
                 + (SELECT count(*) FROM analytics.salt)
                 + (SELECT count(*) FROM analytics.received)
            """
        ).fetchone()
    assert there is not None
    return int(here + there[0])


async def test_on_the_day_everything_is_deleted_and_nothing_is_published_again(
    parts: Parts, press: Press, clock: ManualClock, analytics_database: AnalyticsDatabase
) -> None:
    await fill(parts, press, analytics_database)
    await announce(press.database, END)
    clock.advance(timedelta(days=2))
    assert (await run_job("service-end", TABLE, parts))["ended"] == 0
    before = kept(press, analytics_database)

    clock.advance(timedelta(days=1))
    assert (await run_job("publish", TABLE, parts))["chunks"] == 0
    assert (await run_job("outbox", TABLE, parts))["moved"] == 0
    assert kept(press, analytics_database) == before
    figures = await run_job("service-end", TABLE, parts)

    assert figures == {
        "ended": 1,
        "otps": 1,
        "uploads": 1,
        "outbox": 1,
        "counters": 1,
        "analytics": 1,
        "chunks": 1,
    }
    assert kept(press, analytics_database) == 0
    assert await press.chunks.names() == []
    assert await index_status(press, clock) == (404, "1301")
    # Again does no harm.
    assert sum((await run_job("service-end", TABLE, parts)).values()) == 1


async def index_status(press: Press, clock: ManualClock) -> tuple[int, str]:
    """Ask Exposure Reporting for the index."""
    service = reporting_service(
        database_url=press.database.reporting,
        store=press.chunks,
        clock=clock,
        settings=ReportingSettings(),
        retention=RetentionSettings(),
        following=FollowingSettings(),
    )
    reply = await ask(service, "/v1/keys/index")
    return reply.status_code, str(reply.json()["error_code"])


async def ask(service: Service, path: str) -> httpx.Response:
    """Ask a service that answers from memory, once it has read what it answers."""
    app = create_app(
        [service],
        settings=HttpSettings(),
        registry=CollectorRegistry(),
        limiter=OverloadLimiter(max_working=10),
    )
    assert service.running is not None
    async with service.running(), _client(app) as client:
        while (reply := await client.get(path)).status_code == 503:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        return reply


async def test_a_publisher_at_work_is_waited_for(
    parts: Parts, press: Press, clock: ManualClock, analytics_database: AnalyticsDatabase
) -> None:
    await fill(parts, press, analytics_database)
    await announce(press.database, END)
    clock.advance(timedelta(days=3))

    async with parts.publisher.store.exclusive():
        with pytest.raises(PurgeIncompleteError, match="chunks: PublisherAtWorkError"):
            await run_job("service-end", TABLE, parts)
    assert await press.chunks.names() != []

    await run_job("service-end", TABLE, parts)
    assert kept(press, analytics_database) == 0


async def test_a_clock_ahead_of_the_databases_deletes_nothing(
    parts: Parts, press: Press, clock: ManualClock, analytics_database: AnalyticsDatabase
) -> None:
    await fill(parts, press, analytics_database)
    await announce(press.database, date(2999, 12, 31))
    before = kept(press, analytics_database)
    clock.advance(timedelta(days=365 * 1000))

    assert (await run_job("service-end", TABLE, parts))["ended"] == 0
    assert kept(press, analytics_database) == before
