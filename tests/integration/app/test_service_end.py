"""The end of the service, from the settings that announce it to a phone that holds nothing."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from immuni.api import Platform
from immuni.app.notifications import NotificationKind
from immuni.app.phone import Phone
from immuni.app.state import AtRisk
from immuni.app.status import ServiceIssue
from immuni.app.upload_errors import UploadOrderError
from immuni.app.waking import Waking
from immuni.device import DeviceClient, RemoteFramework, listening
from tests.integration.app.browser import browsing, heading
from tests.integration.app.test_waking import Apps, Screen
from tests.integration.app.world import CHIETI, World, uploaded_keys

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def announce(world: World, *, days_ahead: int | None) -> None:
    """Have the servers tell the last day but so many, or that the service goes on."""
    end = None if days_ahead is None else str((world.clock.now() + days_ahead * DAY).date())
    world.servers.settings = {"service_end_date": end}
    world.servers.settings_version += 1


async def told(world: World, phone: Phone, *, days_ahead: int) -> None:
    """Have a phone learn of an end that is still to come."""
    announce(world, days_ahead=days_ahead)
    await phone.background_session()


async def stored(phone: Phone) -> int:
    """Return how many keys and codes the device holds."""
    counted = (await phone.own_data()).stored
    return counted["tek"] + counted["sighting"]


async def test_on_the_day_the_phone_falls_silent_tells_its_user_and_forgets_everything(
    world: World, met: tuple[Phone, Phone]
) -> None:
    alice, bruno = met
    world.publish(1, await uploaded_keys(alice))
    await told(world, bruno, days_ahead=1)
    assert isinstance(bruno.status().user, AtRisk)
    assert bruno.status().active
    assert await stored(bruno) > 0

    world.pass_over(DAY)
    await bruno.background_session()

    assert bruno.status().issues == (ServiceIssue.SERVICE_ENDED,)
    assert not bruno.framework.status().active
    assert [each.kind for each in bruno.record.notifications] == [NotificationKind.SERVICE_ENDED]
    assert (bruno.record.province, bruno.record.history) == (None, ())
    assert await stored(bruno) == 0


async def test_from_then_on_nothing_is_asked_but_whether_that_is_still_so(world: World) -> None:
    phone = await world.add_ready("alice")
    await told(world, phone, days_ahead=1)
    world.pass_over(DAY)
    world.servers.asked.clear()

    for _ in range(3):
        await phone.background_session()
        world.pass_over(DAY)

    assert world.servers.asked == ["/v1/settings"] * 3
    assert len(phone.record.notifications) == 1


async def test_without_a_server_it_falls_silent_and_keeps_its_data_for_fourteen_days(
    world: World, met: tuple[Phone, Phone]
) -> None:
    phone = met[0]
    await told(world, phone, days_ahead=1)
    world.pass_over(DAY)

    await phone.ending.heed()
    assert not phone.framework.status().active
    assert await stored(phone) > 0
    assert phone.record.province == CHIETI

    world.pass_over(14 * DAY)
    await phone.ending.heed()
    assert await stored(phone) == 0
    assert phone.ending.has_come
    assert phone.record.province is None


async def test_an_end_that_is_put_off_lets_a_silent_phone_go_on_with_all_that_it_had(
    world: World,
) -> None:
    phone = await world.add_ready("alice")
    await told(world, phone, days_ahead=1)
    world.pass_over(DAY)
    await phone.ending.heed()
    assert not phone.framework.status().active

    announce(world, days_ahead=30)
    await phone.background_session()

    assert phone.status().active
    assert phone.record.province == CHIETI
    assert phone.record.last_check == world.clock.now()


async def test_a_clock_that_jumps_ahead_and_back_costs_nothing(world: World) -> None:
    phone = await world.add_ready("alice")
    await told(world, phone, days_ahead=10)

    world.clock.advance(12 * DAY)
    await phone.ending.heed()
    assert phone.status().issues == (ServiceIssue.SERVICE_ENDED,)
    # The server knows better; its clock has not moved.
    await phone.background_session()

    assert ServiceIssue.SERVICE_ENDED not in phone.status().issues
    assert phone.framework.status().active
    assert phone.record.province == CHIETI


async def test_a_service_that_begins_again_begins_with_the_onboarding(world: World) -> None:
    phone = await world.add_ready("alice")
    await told(world, phone, days_ahead=0)
    assert phone.record.province is None

    announce(world, days_ahead=None)
    await phone.background_session()
    await phone.ending.heed()

    assert not phone.ending.has_come
    assert phone.next_onboarding_step() is not None
    # Whoever gave no permission since is not switched on.
    assert not phone.framework.status().active


async def test_who_deletes_their_data_after_the_end_is_not_asked_to_begin_anew(
    world: World,
) -> None:
    phone = await world.add_ready("alice")
    await told(world, phone, days_ahead=1)
    world.pass_over(DAY)

    async with browsing(phone) as browser:
        assert "Delete my data now" in (await browser.get("/")).text
        page = await browser.post("/own-data/delete")

    assert heading(page.text) == "Immuni has done its work"
    assert "Delete my data now" not in page.text
    assert phone.ending.is_complete


async def test_after_the_end_every_screen_of_the_service_leads_to_the_word_of_it(
    world: World,
) -> None:
    phone = await world.add_ready("alice")
    await told(world, phone, days_ahead=1)
    async with browsing(phone) as browser:
        before = await browser.get("/")
        world.pass_over(DAY)
        for path in ("/", "/advice", "/upload", "/settings", "/service/pause", "/onboarding/lock"):
            assert heading((await browser.get(path)).text) == "Immuni has done its work"
        page = await browser.post("/service/resume")
        assert heading(page.text) == "Immuni has done its work"
        for path in ("/privacy", "/terms", "/support", "/own-data"):
            assert heading((await browser.get(path)).text) != "Immuni has done its work"
        # A home screen that stands open since before is shown anew.
        assert (await browser.get("/state")).headers["hx-refresh"] == "true"

    assert heading(before.text) == "No warning for you"
    assert "Tuesday 9 June" in page.text
    assert phone.record.unseen is None


async def test_an_upload_that_is_open_at_the_end_sends_nothing_more(world: World) -> None:
    phone = await world.add_ready("alice")
    await told(world, phone, days_ahead=1)
    world.servers.authorise(await phone.open_upload())
    world.pass_over(DAY)
    world.servers.asked.clear()

    with pytest.raises(UploadOrderError):
        await phone.check_code()

    assert world.servers.asked == []


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
async def desktop(world: World, screen: Screen) -> AsyncIterator[tuple[Waking, Phone, Path]]:
    """Lend an App on a Linux device, the phone in the daemon, and where its socket is to be."""
    daemon = await world.add("device")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "device.sock"
        apps = Apps(world, RemoteFramework(DeviceClient(path)), screen)
        yield apps.start(), daemon, path
        apps.end()


async def test_a_daemon_that_does_not_answer_at_the_end_is_emptied_when_it_does(
    world: World, desktop: tuple[Waking, Phone, Path], screen: Screen
) -> None:
    app, daemon, path = desktop
    async with listening(daemon.framework, path, on_fault=lambda _fault: None):
        await app.phone.set_up(CHIETI)
        await told(world, app.phone, days_ahead=1)
        assert await stored(app.phone) > 0

    world.pass_over(DAY)
    await app.wake()
    assert screen.shown == [NotificationKind.SERVICE_ENDED]
    assert daemon.framework.status().active

    async with listening(daemon.framework, path, on_fault=lambda _fault: None):
        world.pass_over(4 * HOUR)
        await app.wake()
        await app.wake()
        assert not daemon.framework.status().active
        assert await stored(app.phone) == 0
    assert app.phone.ending.is_complete
    assert screen.shown == [NotificationKind.SERVICE_ENDED]


@pytest.mark.parametrize("has_ended", [False, True])
async def test_dummies_are_planned_until_the_service_has_ended(
    world: World, *, has_ended: bool
) -> None:
    phone = await world.add_ready("alice", platform=Platform.IOS)
    await told(world, phone, days_ahead=1)
    if has_ended:
        world.pass_over(DAY)

    phone.came_to_foreground()

    assert (phone.record.simulation is None) is has_ended
