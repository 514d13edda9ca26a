"""The auditor's page: what it shows, finds, turns, exports and leaves behind."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.portal.accounts.roles import Role
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.meanings import MEANINGS, OUTCOMES
from tests.axe import find_nothing
from tests.chromium import chromium
from tests.integration.portal.staff import Staff, staff
from tests.integration.portal.world import PASSWORD, START, World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def auditor(world: World) -> Staff:
    return await staff(world, Role.AUDITOR)


SAMPLE = Event(
    at=START + timedelta(days=1),
    action=Action.AUTHORISATION,
    outcome=Outcome.AUTHORISED,
    account_id=1,
)


async def add(world: World, count: int = 1, event: Event = SAMPLE) -> None:
    for number in range(count):
        await world.trail.record(replace(event, at=event.at + timedelta(seconds=number)))


def test_auditors_are_told_in_words_what_each_event_means() -> None:
    assert set(MEANINGS) == set(Action)
    assert set(OUTCOMES) == set(Outcome)


async def test_an_auditor_begins_there_and_reads_what_everybody_did(
    world: World, auditor: Staff
) -> None:
    await add(world, event=replace(SAMPLE, subject="account 7", detail={"number <b>": "a & b"}))

    assert (await auditor.visitor.get("/")).headers["location"] == "/audit"
    page = await auditor.get("/audit")

    assert "A code was sent to be authorised" in page
    assert "anna" in page
    assert "21 Jun 2020" in page
    assert "12:00:00" in page
    assert "account 7" in page
    assert "number &lt;b&gt;: a &amp; b" in page
    assert "The chain was not verified and signed so far" in page


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR, Role.ADMINISTRATOR])
async def test_nobody_else_reads_or_exports_it(world: World, role: Role) -> None:
    other = await staff(world, role)

    assert (await other.visitor.get("/audit")).status_code == 403
    assert (await other.post("/audit/export"))[0] == 403


async def test_it_is_narrowed_by_each_field(world: World, auditor: Staff) -> None:
    for event in (
        replace(SAMPLE, subject="wanted"),
        replace(SAMPLE, subject="nobody's", account_id=None),
        replace(SAMPLE, subject="refused", outcome=Outcome.REFUSED),
        replace(SAMPLE, subject="a day later", at=START + timedelta(days=2)),
    ):
        await add(world, event=event)
    fields = "&action=authorisation&outcome=authorised&user=ANNA&organisation=1"

    page = await auditor.get(f"/audit?since=2020-06-21&until=2020-06-21{fields}")

    assert "wanted" in page
    for other in ("nobody&#39;s", "refused</td>", "a day later"):
        assert other not in page
    assert "There is no such event." in await auditor.get("/audit?user=nobody")
    wrong = await auditor.visitor.get("/audit?since=yesterday")
    assert wrong.status_code == 422
    assert 'value="yesterday"' in wrong.text
    assert "This is not a day." in wrong.text


async def test_pages_stay_as_they_are_while_events_come(world: World, auditor: Staff) -> None:
    await add(world, 120)
    first = await auditor.get("/audit?action=authorisation")
    older = link(first, "next")
    second = await auditor.get(older)
    await add(world, 70)

    assert await auditor.get(older) == second
    assert numbers(second) == list(range(numbers(first)[-1] - 1, numbers(first)[-1] - 51, -1))
    third = await auditor.get(link(second, "next"))
    assert 'rel="next"' not in third
    assert len(numbers(third)) == 20
    back = await auditor.get(link(third, "prev"))
    assert numbers(back) == numbers(second)


async def test_reading_leaves_an_event_now_and_then_and_exporting_always(
    world: World, auditor: Staff
) -> None:
    for _ in range(3):
        await auditor.get("/audit")
    world.clock.advance(timedelta(minutes=15))
    await auditor.get("/audit")
    for _ in range(2):
        assert (await auditor.post("/audit/export", action="sign_in", user="anna"))[0] == 200

    events = await world.rows(
        "SELECT action, detail FROM audit_event WHERE action LIKE 'audit%' ORDER BY id"
    )
    assert events == [
        ("audit_reading", {}),
        ("audit_reading", {}),
        ("audit_export", {"action": "sign_in", "user": "one"}),
        ("audit_export", {"action": "sign_in", "user": "one"}),
    ]


async def test_what_is_exported_is_what_is_wanted_and_no_formula(
    world: World, auditor: Staff
) -> None:
    await add(world, event=replace(SAMPLE, subject="=1+1"))

    status, text = await auditor.post("/audit/export", action="authorisation")

    assert status == 200
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["user"], row["subject"], row["outcome"]) == ("anna", "'=1+1", "authorised")
    assert row["at"] == "2020-06-21T10:00:00+00:00"


@pytest.mark.browser
async def test_the_page_is_for_everybody_and_every_screen(world: World, tmp_path: Path) -> None:
    await world.add_account("auditor", role=Role.AUDITOR)
    facts: dict[str, str | int] = {"organisation": 3, "role": "operator"}
    await add(world, 60, replace(SAMPLE, subject="organisation 3", detail=facts))
    await add(world, 1, replace(SAMPLE, outcome=Outcome.REFUSED, account_id=None))
    await world.change("UPDATE audit_head SET head_number = 7, head_at = %s", START)
    async with chromium() as browser:
        context = await browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
        page = await context.new_page()
        await page.goto(world.origin + "/sign-in")
        await page.fill("#user", "auditor")
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url(world.origin + "/audit")
        await find_nothing(page)
        await page.click("a[rel=next]")
        await page.select_option("#outcome", "refused")
        await page.click("form.filters button")
        await find_nothing(page)
        await page.set_viewport_size({"width": 320, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320
        async with page.expect_download() as download:
            await page.click("form[action='/audit/export'] button")
        file = tmp_path / "audit.csv"
        await (await download.value).save_as(file)
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert {row["outcome"] for row in rows} == {"refused"}


def link(page: str, rel: str) -> str:
    """Return where the button to newer or older events leads."""
    return page.partition(f'rel="{rel}" href="')[2].partition('"')[0].replace("&amp;", "&")


def numbers(page: str) -> list[int]:
    """Return the numbers of the events that a page shows."""
    return [int(part.partition("<")[0]) for part in page.split('<td class="number">')[1:]]
