"""``GET /v1/settings`` over real HTTP and a real database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.api import (
    ConfigurationSettings,
    Platform,
    SettingsRefusedError,
    SettingsStamp,
    read_settings,
    verify_settings,
)
from immuni.backend.configuration.http import configuration_service
from immuni.backend.configuration.rules import SettingEntry
from immuni.backend.configuration.store import publish
from immuni.backend.contract import HttpSettings, create_app
from immuni.backend.following import FollowingSettings
from immuni.backend.signing import LocalKeySigner, create_signing_key
from immuni.clock import ManualClock
from immuni.deployment.databases import ServicesDatabase
from tests.contract.rows import Row, broken_rows
from tests.contract.serving import become_ready, serving

pytestmark = pytest.mark.anyio

NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)
ASKED = "/v1/settings?platform=android&build=7"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def signer(tmp_path: Path) -> LocalKeySigner:
    create_signing_key(tmp_path / "settings.pem")
    return LocalKeySigner.read(tmp_path / "settings.pem", key_id="settings-1")


@pytest.fixture
async def client(
    services_database: ServicesDatabase, signer: LocalKeySigner, clock: ManualClock
) -> AsyncIterator[httpx.AsyncClient]:
    service = configuration_service(
        database_url=services_database.configuration,
        signer=lambda: signer,
        clock=clock,
        following=FollowingSettings(),
    )
    app = create_app([service], settings=HttpSettings(), registry=CollectorRegistry())
    async with serving(app) as opened:
        await become_ready(opened)
        yield opened


async def put(database: ServicesDatabase, *entries: SettingEntry) -> int:
    async with await psycopg.AsyncConnection.connect(database.owner) as owner:
        return await publish(owner, entries, author="Ada", reason="a trial", now=NOON)


async def version(client: httpx.AsyncClient, number: int) -> httpx.Response:
    """Return the answer of a version, which is published already."""
    async with asyncio.timeout(30):
        while True:
            answer = await client.get(ASKED)
            if answer.headers["immuni-settings-version"] == str(number):
                return answer


def entry(name: str, value: object, *, build: int = 1) -> SettingEntry:
    return SettingEntry(Platform.ANDROID, name, build, value)


async def test_before_anything_is_published_phones_keep_their_defaults(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(ASKED)

    assert answer.json() == {}
    assert read_settings(answer.json()).settings == ConfigurationSettings()
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert "date" in answer.headers


async def test_what_is_published_reaches_phones_signed(
    client: httpx.AsyncClient, services_database: ServicesDatabase, signer: LocalKeySigner
) -> None:
    await put(
        services_database,
        entry("exposure_detection_period", 5),
        entry("minimum_build_version", 9, build=8),
        entry("teks_max_info_count", 10),
        SettingEntry(Platform.ANDROID, "teks_max_info_count", 7, withdrawn=True),
    )
    answer = await version(client, 1)

    assert answer.json() == {"exposure_detection_period": 5}
    stamp = verify_settings(
        answer.content,
        answer.headers,
        {"settings-1": signer.public_key},
        platform=Platform.ANDROID,
        build=7,
    )
    assert (stamp.version, stamp.issued_at) == (1, NOON)
    with pytest.raises(SettingsRefusedError):
        verify_settings(
            answer.content,
            answer.headers,
            {"settings-1": signer.public_key},
            platform=Platform.ANDROID,
            build=8,
        )


async def test_an_unchanged_body_is_not_sent_again_but_its_new_stamp_is(
    client: httpx.AsyncClient,
    services_database: ServicesDatabase,
    signer: LocalKeySigner,
    clock: ManualClock,
) -> None:
    await put(services_database, entry("exposure_detection_period", 5))
    first = await version(client, 1)
    clock.advance(timedelta(hours=1))

    again = await client.get(ASKED, headers={"if-none-match": first.headers["etag"]})

    assert again.status_code == HTTPStatus.NOT_MODIFIED
    assert again.content == b""
    stamp = verify_settings(
        first.content,
        again.headers,
        {"settings-1": signer.public_key},
        platform=Platform.ANDROID,
        build=7,
    )
    assert stamp.issued_at == NOON + timedelta(hours=1)


async def test_a_signature_is_made_once_for_many_phones(
    client: httpx.AsyncClient, clock: ManualClock
) -> None:
    first, second = await client.get(ASKED), await client.get(ASKED)
    clock.advance(timedelta(minutes=10))
    third = await client.get(ASKED)

    assert first.headers["immuni-signature"] == second.headers["immuni-signature"]
    assert third.headers["immuni-issued-at"] != first.headers["immuni-issued-at"]


async def test_head_is_like_get(client: httpx.AsyncClient) -> None:
    got, headed = await client.get(ASKED), await client.head(ASKED)

    assert headed.content == b""
    for name in ("etag", "content-length", "cache-control", "immuni-signature", "content-type"):
        assert headed.headers[name] == got.headers[name]


def malformed(query: str) -> Row:
    """Return a question that is not as defined."""
    return Row(rule=f"query {query!r}", path=f"/v1/settings{query}", code=1001)


RULES = [
    *map(
        malformed,
        (
            "",
            "?",
            "?platform=android",
            "?build=7",
            "?platform=windows&build=7",
            "?platform=Android&build=7",
            "?platform=&build=7",
            "?platform=android&build=0",
            "?platform=android&build=20001",
            "?platform=android&build=07",
            "?platform=android&build=%2B7",
            "?platform=android&build=-7",
            "?platform=android&build=7.0",
            "?platform=android&build=1e3",
            "?platform=android&build=%207",
            "?platform=android&build=7%0A",
            "?platform=android&build=%D9%A7",
            "?platform=android&build=" + "9" * 900,
            "?platform=android&build=7&build=7",
            "?platform=android&build=7&language=it",
            "?platform=android&build=7&",
            "?platform=android;build=7",
        ),
    ),
    Row(rule="build 1", path="/v1/settings?platform=ios&build=1", status=200),
    Row(rule="build 20000", path="/v1/settings?build=20000&platform=ios", status=200),
    Row(
        rule="any tag",
        path=ASKED,
        headers={"if-none-match": "*"},
        status=304,
        says={"cache-control": "public, max-age=3600"},
    ),
    Row(rule="parts are not given", path=ASKED, headers={"range": "bytes=0-0"}, status=200),
    Row(rule="POST", method="POST", path=ASKED, status=405, code=1000),
    Row(rule="OPTIONS", method="OPTIONS", path=ASKED, status=405, code=1000),
    Row(rule="a slash too many", path="/v1/settings/", status=404, code=1000),
    Row(rule="an encoded path", path="/v1/%73ettings?platform=ios&build=1", code=1001),
    Row(rule="no metrics here", path="/metrics", status=404, code=1000),
    Row(rule="no document here", path="/openapi.json", status=404, code=1000),
]


async def test_a_question_is_answered_as_defined_or_refused(client: httpx.AsyncClient) -> None:
    assert await broken_rows(client, RULES, service="configuration") == {}


def vetted(
    answer: httpx.Response, signer: LocalKeySigner, newest: SettingsStamp | None = None
) -> SettingsStamp:
    """Return what a phone keeps beside the settings, where it takes them."""
    return verify_settings(
        answer.content,
        answer.headers,
        {"settings-1": signer.public_key},
        platform=Platform.ANDROID,
        build=7,
        newest=newest,
    )


async def test_phones_refuse_replayed_and_mixed_answers_and_take_a_rollback(
    client: httpx.AsyncClient,
    services_database: ServicesDatabase,
    signer: LocalKeySigner,
    clock: ManualClock,
) -> None:
    await put(services_database, entry("exposure_detection_period", 5))
    old = await version(client, 1)
    clock.advance(timedelta(minutes=20))
    same_later = await client.get(ASKED)
    await put(services_database, entry("exposure_detection_period", 6))
    newer = await version(client, 2)
    in_force = vetted(newer, signer, vetted(same_later, signer, vetted(old, signer)))

    for replayed in (old, same_later):
        with pytest.raises(SettingsRefusedError, match="older"):
            vetted(replayed, signer, in_force)
    with pytest.raises(SettingsRefusedError, match="older"):
        vetted(old, signer, vetted(same_later, signer))
    mixed = httpx.Response(HTTPStatus.OK, headers=newer.headers, content=old.content)
    with pytest.raises(SettingsRefusedError, match="not signed"):
        vetted(mixed, signer)

    await put(services_database, entry("exposure_detection_period", 5))
    rolled_back = await version(client, 3)

    assert rolled_back.content == old.content
    assert vetted(rolled_back, signer, in_force).version == 3


async def test_each_platform_and_build_gets_its_own(
    client: httpx.AsyncClient, services_database: ServicesDatabase
) -> None:
    await put(
        services_database,
        entry("teks_max_info_count", 1),
        entry("teks_max_info_count", 5, build=5),
        SettingEntry(Platform.ANDROID, "teks_max_info_count", 9, withdrawn=True),
        SettingEntry(Platform.IOS, "teks_max_info_count", 9, 90),
    )
    await version(client, 1)

    async def gets(platform: str, build: int) -> object:
        query = {"platform": platform, "build": str(build)}
        return (await client.get("/v1/settings", params=query)).json().get("teks_max_info_count")

    assert [await gets("android", build) for build in (1, 4, 5, 8, 9, 20_000)] == [
        1,
        1,
        5,
        5,
        None,
        None,
    ]
    assert [await gets("ios", build) for build in (1, 8, 9)] == [None, None, 90]
