"""What a phone sends to the analytics host, on a real socket, and what it does not."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.api import Platform
from immuni.app.analytics.ports import Vouchers
from immuni.app.build import pinned_tls
from immuni.app.phone import Phone
from immuni.app.sent import Sent, SentKind
from tests.integration.app.tls import Authority, Wire, answering, observed
from tests.integration.app.vouching import (
    CREATED,
    ReadyAttestor,
    ReadyDeviceCheck,
    requests,
    without_dummies,
)
from tests.integration.app.world import World

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
SOON = timedelta(hours=20)
"""Shorter than the window of a moment that was drawn."""
REST_OF_JUNE = timedelta(days=23)
JULY = timedelta(days=31)
TOKEN = "/v1/analytics/apple/token"
APPLE = "/v1/analytics/apple/operational-info"
GOOGLE = "/v1/analytics/google/operational-info"
SURELY = {"operational_info_without_exposure_sampling_rate": 1.0}
MANY_DUMMIES = {"dummy_analytics_waiting_time": 3 * 86_400}


@pytest.fixture
async def wire(world: World) -> AsyncIterator[Wire]:
    """Return the line to an analytics host that finds everything right."""
    async with answering(CREATED) as port, observed(port) as (wire_port, wire):
        world.analytics_url = f"http://127.0.0.1:{wire_port}"
        yield wire


async def check_for(world: World, phone: Phone, duration: timedelta) -> None:
    """Let background sessions follow each other."""
    end = world.clock.now() + duration
    while world.clock.now() < end:
        world.pass_over(SOON)
        await phone.background_session()


async def test_an_android_phone_reports_once_a_month(world: World, wire: Wire) -> None:
    world.servers.settings = SURELY
    vouchers = Vouchers(attestor=ReadyAttestor())
    phone = await without_dummies(world, Platform.ANDROID, vouchers)
    await check_for(world, phone, REST_OF_JUNE)
    in_june = len(wire.connections)
    noted = set[Sent]()
    for half in (JULY / 2, JULY / 2):
        await check_for(world, phone, half)
        noted.update(phone.record.sent)

    assert in_june <= 1
    assert len(wire.connections) == in_june + 1
    assert {path for path, _ in requests(wire)} == {GOOGLE}
    # The user's own record tells of each for four weeks.
    assert {each.kind for each in noted} == {SentKind.REPORT_WITHOUT_EXPOSURE}


async def test_a_device_without_a_platform_that_vouches_sends_nothing(
    world: World, wire: Wire
) -> None:
    world.servers.settings = SURELY | MANY_DUMMIES
    for platform in Platform:
        phone = await world.add_ready(f"of {platform}", platform=platform)
        await check_for(world, phone, 10 * DAY)

    assert wire.connections == []


async def test_an_ios_phone_asks_until_its_token_is_authorised_and_then_reports_with_it(
    world: World, wire: Wire
) -> None:
    world.servers.settings = SURELY
    device_check = ReadyDeviceCheck()
    phone = await without_dummies(world, Platform.IOS, Vouchers(device_check=device_check))
    await check_for(world, phone, 3 * DAY)
    assert [path for path, _ in requests(wire)] == [TOKEN]
    first = phone.record.analytics.token
    await check_for(world, phone, REST_OF_JUNE - 3 * DAY + JULY)

    paths = [path for path, _ in requests(wire)]
    second = phone.record.analytics.token
    assert paths.count(TOKEN) == device_check.given == 2
    assert first is not None
    assert second is not None
    assert 1 <= paths.count(APPLE) <= 2
    bearers = {headers["Authorization"] for path, headers in requests(wire) if path == APPLE}
    assert bearers <= {f"Bearer {first.digits}", f"Bearer {second.digits}"}
    assert first.digits != second.digits


async def test_a_token_that_is_not_authorised_is_asked_for_at_each_detection_and_not_used(
    world: World,
) -> None:
    world.servers.settings = SURELY | MANY_DUMMIES
    accepted = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
    async with answering(accepted) as port, observed(port) as (wire_port, wire):
        world.analytics_url = f"http://127.0.0.1:{wire_port}"
        phone = await world.add_ready(
            "alice", platform=Platform.IOS, vouchers=Vouchers(device_check=ReadyDeviceCheck())
        )
        await check_for(world, phone, 10 * DAY)

    assert [path for path, _ in requests(wire)] == [TOKEN] * 11


async def test_the_first_day_is_silent_by_the_servers_clock(world: World, wire: Wire) -> None:
    vouchers = Vouchers(device_check=ReadyDeviceCheck())
    phone = await without_dummies(world, Platform.IOS, vouchers)
    await phone.background_session()
    begin = world.servers.now
    # The phone's clock is moved by its user; the server's goes on.
    for hours in (8, 16, 23):
        world.clock.advance(10 * DAY)
        world.servers.now = begin + timedelta(hours=hours)
        await phone.background_session()
    assert wire.connections == []

    world.clock.advance(10 * DAY)
    world.servers.now = begin + DAY
    await phone.background_session()
    assert [path for path, _ in requests(wire)] == [TOKEN]


async def test_a_phone_whose_clock_was_wrong_from_the_start_waits_no_longer(
    world: World, wire: Wire
) -> None:
    world.servers.now = world.clock.now() + 400 * DAY
    vouchers = Vouchers(device_check=ReadyDeviceCheck())
    phone = await without_dummies(world, Platform.IOS, vouchers)
    # First contact only now: the day since the onboarding counts by the servers' clock as well.
    world.clock.advance(DAY)
    world.servers.now += DAY
    await phone.background_session()

    assert [path for path, _ in requests(wire)] == [TOKEN]


async def test_a_check_that_was_not_completed_is_no_detection(world: World, wire: Wire) -> None:
    vouchers = Vouchers(device_check=ReadyDeviceCheck())
    phone = await without_dummies(world, Platform.IOS, vouchers)
    world.servers.broken_paths.add("/v1/keys/index")
    await check_for(world, phone, 3 * DAY)

    assert wire.connections == []


@pytest.mark.parametrize("platform", list(Platform))
async def test_dummies_and_reports_are_the_same_single_record_on_the_wire(
    world: World, tmp_path: Path, platform: Platform
) -> None:
    authority = Authority(tmp_path)
    world.tls = pinned_tls(authority.certificate_file)
    world.servers.settings = SURELY | MANY_DUMMIES
    async with (
        answering(CREATED, authority.server_context()) as port,
        observed(port) as (wire_port, wire),
    ):
        world.analytics_url = f"https://localhost:{wire_port}"
        device_check, attestor = ReadyDeviceCheck(), ReadyAttestor()
        phone = await world.add_ready(
            "alice", platform=platform, vouchers=Vouchers(device_check, attestor)
        )
        world.pass_over(REST_OF_JUNE)
        await check_for(world, phone, JULY - DAY)
        sent = Counter(tuple(wire.records(each)) for each in range(len(wire.connections)))

    moment = phone.record.analytics.moment
    assert moment is not None
    assert moment.is_used  # That was the genuine report; all others are dummies.
    reports = sent.total() - device_check.given
    assert reports > 2
    assert sorted(sent.values()) == sorted(filter(None, [device_check.given, reports]))
    # The end of the handshake, the request, and the goodbye.
    assert {len(records) for records in sent} == {3}
    assert len(attestor.nonces) == (reports if platform is Platform.ANDROID else 0)


@pytest.mark.parametrize("is_away", [False, True], ids=["the service", "the attestor"])
async def test_a_report_that_failed_is_not_sent_again_and_breaks_no_session(
    world: World,
    is_away: bool,  # noqa: FBT001 - a column
) -> None:
    world.servers.settings = SURELY
    world.analytics_url = "http://127.0.0.1:1"
    attestor = ReadyAttestor(is_away=is_away)
    phone = await without_dummies(world, Platform.ANDROID, Vouchers(attestor=attestor))
    world.pass_over(REST_OF_JUNE)
    await check_for(world, phone, JULY)

    assert len(attestor.nonces) == 1
    assert phone.record.failure is None
    assert phone.record.last_check == world.clock.now()


async def test_the_token_does_not_show_in_the_phones_memory_as_it_is_printed(
    world: World, wire: Wire
) -> None:
    vouchers = Vouchers(device_check=ReadyDeviceCheck())
    phone = await without_dummies(world, Platform.IOS, vouchers)
    await check_for(world, phone, 3 * DAY)

    assert len(wire.connections) == 1
    token = phone.record.analytics.token
    assert token is not None
    assert token.is_authorised
    assert token.digits not in repr(phone.record)
