"""From a phone's background session to a row in the analytics database, nothing left out."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, cast

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from immuni.api import Platform
from immuni.app.analytics.ports import Vouchers
from immuni.deployment.apple import VirtualDeviceCheck
from immuni.deployment.configured import Configured
from immuni.deployment.databases import AnalyticsDatabase
from immuni.deployment.google import (
    VirtualAttestor,
    attestation_settings,
    ensure_play_integrity_keys,
    play_integrity,
)
from immuni.deployment.layout import Layout
from immuni.deployment.wiring import Wiring
from immuni.deployment.wiring.analytics import servers
from immuni.entropy import SystemEntropy
from immuni.settings import Source
from tests.apple import KEY_ID, TEAM_ID, answering_apple
from tests.contract.serving import become_ready, serving
from tests.integration.app.test_reporting import JULY, REST_OF_JUNE, check_for
from tests.integration.app.vouching import without_dummies
from tests.integration.app.world import World
from tests.integration.backend.analytics.authorising import until

DAY: Final = timedelta(days=1)
QUICKLY: Final = {
    "response_floor": "10ms",
    "response_mean": "1ms",
    "device_check_timeout": "1s",
    "max_read_time": "10ms",
    "check_time": "2010ms",
}

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def analytics_role(
    world: World, database: AnalyticsDatabase, settings: Mapping[str, str]
) -> AsyncIterator[None]:
    """Serve the role, and lead the phones there."""
    texts = {**QUICKLY, **settings, "analytics_database_url": database.analytics}
    wiring = Wiring.of(
        Configured.read(Source(texts, dict.fromkeys(texts, "the test"))),
        clock=world.clock,
        entropy=SystemEntropy(),
        registry=CollectorRegistry(),
    )
    async with (
        servers(wiring) as [server],
        serving(cast("ASGIApp", server.config.app)) as client,
    ):
        await become_ready(client)
        world.analytics_url = str(client.base_url)
        world.servers.settings = {"operational_info_without_exposure_sampling_rate": 1.0}
        yield


def reports(database: AnalyticsDatabase) -> list[tuple[Any, ...]]:
    """Return what is kept: platform, province, four flags, day of the last exposure, build."""
    with psycopg.connect(database.owner) as owner:
        return owner.execute(
            "SELECT platform, province, exposure_permission, bluetooth_active,"
            " notification_permission, exposure_notification, last_risky_exposure_on, build"
            " FROM analytics.operational_info WHERE received_on BETWEEN %s AND %s",
            [date(2020, 7, 1), date(2020, 7, 31)],
        ).fetchall()


async def test_a_report_of_an_android_phone_is_kept_once(
    world: World, analytics_database: AnalyticsDatabase, tmp_path: Path
) -> None:
    layout = Layout(tmp_path)
    layout.prepare()
    ensure_play_integrity_keys(layout, SystemEntropy())
    attestor = VirtualAttestor(play_integrity(layout), world.clock)
    async with analytics_role(world, analytics_database, attestation_settings(layout)):
        phone = await without_dummies(world, Platform.ANDROID, Vouchers(attestor=attestor))
        world.pass_over(REST_OF_JUNE)
        await check_for(world, phone, JULY)

    assert reports(analytics_database) == [
        ("android", "CH", True, True, True, False, None, 10),
    ]


async def test_a_report_of_an_ios_phone_is_kept_once(
    world: World, analytics_database: AnalyticsDatabase, tmp_path: Path
) -> None:
    async with answering_apple(world.clock) as apple:
        settings = {
            "device_check_url": apple.url,
            "device_check_key_file": str(apple.write_key(tmp_path)),
            "device_check_key_id": KEY_ID,
            "device_check_team_id": TEAM_ID,
        }
        async with analytics_role(world, analytics_database, settings):
            device_check = VirtualDeviceCheck("alice", SystemEntropy())
            phone = await without_dummies(world, Platform.IOS, Vouchers(device_check=device_check))
            world.pass_over(REST_OF_JUNE - 3 * DAY)
            await check_for(world, phone, DAY)  # Asks for the authorisation.
            await until(authorised_tokens(analytics_database), lambda found: found == 1)
            world.pass_over(2 * DAY)
            await check_for(world, phone, JULY)

    assert reports(analytics_database) == [
        ("ios", "CH", True, True, True, False, None, 10),
    ]


def authorised_tokens(database: AnalyticsDatabase) -> Any:  # noqa: ANN401 - a question
    """Return how one asks for the number of authorised tokens."""

    async def asked() -> int:
        connection = await psycopg.AsyncConnection.connect(database.owner)
        async with connection:
            cursor = await connection.execute("SELECT count(*) FROM analytics.token")
            row = await cursor.fetchone()
        return 0 if row is None else int(row[0])

    return asked
