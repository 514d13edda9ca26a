"""The upload on pages: walked whole, broken off at each step, declined, and out of order."""

import dataclasses
from datetime import timedelta

import pytest

from immuni.app.state import Positive
from immuni.app.upload import CHECKED_KEPT, CODE_KEPT, UploadFlow
from tests.integration.app.browser import browsing, heading
from tests.integration.app.world import World

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def test_the_whole_upload_can_be_walked_with_plain_forms(world: World) -> None:
    phone = await world.add_ready("alice")
    await world.live(2 * DAY)
    async with browsing(phone) as browser:
        code = await browser.get("/upload")
        assert phone.flow is not None
        assert f"letter by letter: {', '.join(phone.flow.otp)}" in code.text
        assert "is not confirmed yet" in (await browser.post("/upload/check")).text

        await world.live(timedelta(seconds=5))
        world.servers.authorise(phone.flow.otp)
        contents = await browser.post("/upload/check")
        assert heading(contents.text) == "What will be sent"
        review = await browser.post("/upload/permission", {"answer": "yes"})
        assert "3 random keys" in review.text
        done = await browser.post("/upload/send")
        assert heading(done.text) == "Thank you"
        home = await browser.get("/")
        again = await browser.post("/upload/send")

    assert heading(home.text) == "You reported a positive result"
    assert heading(again.text) == "Thank you"
    assert isinstance(phone.status().user, Positive)
    assert len(world.servers.uploads) == 1


async def test_a_code_that_expired_leads_to_a_new_one(world: World) -> None:
    phone = await world.add_ready("alice")
    await world.live(DAY)
    async with browsing(phone) as browser:
        await browser.get("/upload")
        assert phone.flow is not None
        expired = phone.flow.otp
        world.servers.authorise(expired)
        await browser.post("/upload/check")
        await browser.post("/upload/permission", {"answer": "yes"})
        world.servers.authorised.clear()
        page = await browser.post("/upload/send")

    assert page.url.path == "/upload/code"
    assert "Your code has expired" in page.text
    assert phone.flow.otp != expired


async def test_whoever_comes_back_to_an_upload_goes_on_where_they_were(world: World) -> None:
    phone = await world.add_ready("alice")
    await world.live(DAY)
    async with browsing(phone) as browser:
        assert "not finished" not in (await browser.get("/")).text
        await browser.get("/upload")
        assert phone.flow is not None
        code = phone.flow.otp
        assert "Your report is not finished" in (await browser.get("/")).text
        assert (await browser.get("/upload")).url.path == "/upload/code"
        world.servers.authorise(code)
        await browser.post("/upload/check")
        assert (await browser.get("/upload")).url.path == "/upload/contents"
        await browser.post("/upload/permission", {"answer": "yes"})
        assert (await browser.get("/upload")).url.path == "/upload/review"
        assert phone.flow.otp == code
        await browser.post("/upload/send")
        assert "not finished" not in (await browser.get("/")).text


async def test_a_failed_check_stays_locked_for_whoever_comes_back(world: World) -> None:
    phone = await world.add_ready("alice")
    async with browsing(phone) as browser:
        await browser.get("/upload")
        await browser.post("/upload/check")
        await browser.get("/")
        assert "Continue in 5 seconds" in (await browser.get("/upload")).text


@pytest.mark.parametrize(("is_checked", "kept"), [(False, CODE_KEPT), (True, CHECKED_KEPT)])
async def test_whoever_comes_back_too_late_gets_a_new_code(
    world: World, *, is_checked: bool, kept: timedelta
) -> None:
    phone = await world.add_ready("alice")
    async with browsing(phone) as browser:
        await browser.get("/upload")
        assert phone.flow is not None
        code = phone.flow.otp
        if is_checked:
            world.servers.authorise(code)
            await browser.post("/upload/check")
        await world.live(kept)
        assert "not finished" not in (await browser.get("/")).text
        page = await browser.get("/upload")

    assert page.url.path == "/upload/code"
    assert phone.flow.otp != code
    assert ("Your code has expired" in page.text) is is_checked


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("unreachable", "The server was not reached"),
        ("busy", "The server is busy"),
        ("refusing", "The server did not accept this"),
    ],
)
async def test_whatever_stops_an_upload_is_told_loses_nothing_and_can_be_tried_again(
    world: World, fault: str, told: str
) -> None:
    phone = await world.add_ready("alice")
    await world.live(DAY)
    async with browsing(phone) as browser:
        await browser.get("/upload")
        assert phone.flow is not None
        world.servers.authorise(phone.flow.otp)
        for path, kept in (("check", "code"), ("send", "review")):
            break_the_way(world, phone.flow, fault)
            failed = await browser.post(f"/upload/{path}")
            assert failed.url.path == f"/upload/{kept}"
            assert told in failed.text
            mend_the_way(world, phone.flow)
            await browser.post(f"/upload/{path}")
            if path == "check":
                await browser.post("/upload/permission", {"answer": "yes"})

    assert isinstance(phone.status().user, Positive)
    assert len(world.servers.uploads) == 1


def break_the_way(world: World, flow: UploadFlow, fault: str) -> None:
    if fault == "unreachable":
        lead_to(flow, "http://127.0.0.1:1")
    else:
        setattr(world.servers, fault, True)


def mend_the_way(world: World, flow: UploadFlow) -> None:
    world.servers.busy = world.servers.refusing = False
    lead_to(flow, world.url)


def lead_to(flow: UploadFlow, url: str) -> None:
    build = dataclasses.replace(flow._desk.build, upload_url=url)
    flow._desk = dataclasses.replace(flow._desk, build=build)


async def test_every_step_of_an_upload_can_be_declined(world: World) -> None:
    phone = await world.add_ready("alice")
    await world.live(DAY)
    async with browsing(phone) as browser:
        await browser.get("/upload")
        assert phone.flow is not None
        world.servers.authorise(phone.flow.otp)
        await browser.post("/upload/check")
        declined = await browser.post("/upload/permission", {"answer": "no"})
        assert declined.url.path == "/upload/contents"
        assert "alert" not in declined.text
        left = await browser.post("/upload/cancel")

    assert left.url.path == "/"
    assert phone.flow is None
    assert world.servers.uploads == []


@pytest.mark.parametrize("path", ["/upload/contents", "/upload/permission", "/upload/review"])
async def test_no_step_of_an_upload_can_be_reached_before_its_time(world: World, path: str) -> None:
    async with browsing(await world.add_ready("alice")) as browser:
        assert (await browser.get(path)).url.path == "/upload/code"


async def test_where_the_service_has_not_started_the_upload_says_so(world: World) -> None:
    phone = await world.add_ready("alice")
    world.servers.settings = {"active_regions": ["Liguria"]}
    await phone.background_session()
    async with browsing(phone) as browser:
        assert heading((await browser.get("/upload")).text) == "Not yet in your region"
