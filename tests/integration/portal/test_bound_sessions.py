"""A session belongs to one browser: a copy of its cookie does not work unnoticed."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from tests.integration.portal.world import Visitor, World

pytestmark = pytest.mark.anyio

PERIOD = timedelta(minutes=5)
COPIES = "SELECT account_id, outcome, subject FROM audit_event WHERE action = 'session_copy'"


async def copy_of(visitor: Visitor, world: World, *names: str) -> Visitor:
    """Return another browser that holds the same cookies, or some of them."""
    thief = await world.visitor()
    for name in names or visitor.http.cookies.keys():
        thief.http.cookies.set(name, visitor.http.cookies[name])
    return thief


async def test_a_session_without_its_browsers_mark_ends_for_both(world: World) -> None:
    operator = await world.operator()
    thief = await copy_of(operator, world, "immuni-session")

    answers = [await thief.get(), await operator.get()]

    assert [each.headers["location"] for each in answers] == ["/sign-in?copied"] * 2
    assert "used in a second place" in (await operator.get("/sign-in?copied")).text
    assert await world.rows(COPIES) == [(1, "refused", "session 1")]


async def test_two_browsers_with_all_cookies_of_one_cannot_both_go_on(world: World) -> None:
    operator = await world.operator()
    thief = await copy_of(operator, world)

    for _ in range(2):
        assert (await thief.get()).status_code == HTTPStatus.OK
        assert (await operator.get()).status_code == HTTPStatus.OK
        world.clock.advance(PERIOD)
    await thief.get()
    await thief.get()
    world.clock.advance(timedelta(minutes=1))

    answers = [await operator.get(), await thief.get()]

    assert [each.headers["location"] for each in answers] == ["/sign-in?copied"] * 2
    assert len(await world.rows(COPIES)) == 1


async def test_forms_that_are_open_stay_good_when_the_cookie_changes(world: World) -> None:
    operator = await world.operator()
    form = await operator.form(code=world.code(), onset="2020-06-18")
    before = operator.http.cookies["immuni-session"]

    world.clock.advance(PERIOD)
    await operator.get()
    world.clock.advance(PERIOD)
    answer = await operator.post("/authorise", form)

    assert operator.http.cookies["immuni-session"] != before
    assert answer.headers["location"] == "/authorised"


async def test_the_password_shown_once_more_leads_on_to_a_page_of_the_portal(world: World) -> None:
    operator = await world.operator()
    csrf = (await operator.form())["csrf"]

    async def prove(password: str, to: str) -> tuple[int, str | None]:
        form = {"csrf": csrf, "to": to, "password": password}
        answer = await operator.post("/prove/password", form)
        return answer.status_code, answer.headers.get("location")

    assert await prove("a wrong password", "/") == (401, None)
    assert await prove("correct horse battery", "/authorised?x=1") == (303, "/authorised?x=1")
    for foreign in ("//evil.example", "/\\evil.example", "https://evil.example", "", "/a b"):
        assert await prove("correct horse battery", foreign) == (303, "/"), foreign
    events = await world.rows(
        "SELECT outcome, detail ->> 'proof' FROM audit_event WHERE action = 'proof' LIMIT 2"
    )
    assert events == [("refused", None), ("done", "password")]
