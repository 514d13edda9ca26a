import re
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from tests.integration.portal.world import ORGANISATION, PASSWORD, Visitor, World, living_world

pytestmark = pytest.mark.anyio

IDLE = timedelta(minutes=30)


async def is_inside(visitor: Visitor) -> bool:
    return (await visitor.get()).status_code == HTTPStatus.OK


async def test_whoever_is_not_signed_in_is_led_to_the_form(world: World) -> None:
    visitor = await world.visitor()

    for path in ("/", "/authorised"):
        answer = await visitor.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "Password" in (await visitor.get("/sign-in")).text


async def test_name_and_password_lead_in(world: World) -> None:
    visitor = await world.visitor()

    answer = await visitor.sign_in()
    page = (await visitor.get()).text

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "anna" in page
    assert ORGANISATION in page


async def test_capitals_and_spaces_around_the_name_do_no_harm(world: World) -> None:
    assert (await (await world.visitor()).sign_in(" ANNA ")).status_code == HTTPStatus.SEE_OTHER


async def test_whoever_is_signed_in_does_not_see_the_form_again(world: World) -> None:
    operator = await world.operator()

    assert (await operator.get("/sign-in")).headers["location"] == "/"


async def test_help_is_there_before_signing_in_and_the_same_for_everybody(world: World) -> None:
    stranger, operator = await world.visitor(), await world.operator()

    assert 'href="/sign-in/help"' in (await stranger.get("/sign-in")).text
    told = await stranger.get("/sign-in/help")
    assert told.status_code == HTTPStatus.OK
    for part in ("The first time", "Something is lost", "May I call you back?", "Whom to ask"):
        assert part in told.text
    assert (await operator.get("/sign-in/help")).text == told.text


async def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(world: World) -> None:
    visitor = await world.visitor()

    await visitor.get("/sign-in")
    wrong = await visitor.sign_in("anna", "another password")
    unknown = await visitor.sign_in("bruno", "another password")

    assert wrong.status_code == unknown.status_code == HTTPStatus.UNAUTHORIZED
    assert bare(wrong.text) == bare(unknown.text).replace('value="bruno"', 'value="anna"')
    assert wrong.headers.keys() == unknown.headers.keys()
    assert "another password" not in wrong.text


def bare(page: str) -> str:
    """Return a page without what a passkey would be asked: that is new each time."""
    return re.sub(r'data-options="[^"]*"', "", page)


async def test_names_that_nobody_can_have_are_refused_like_others(world: World) -> None:
    impossible = ("", "\0", "anna\0", "x" * 10_000, "<b>", "anna rossi", "\u202eanna")
    for number, user in enumerate(impossible):
        answer = await (await world.visitor(source=f"192.0.2.{number}")).sign_in(user)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED, user


async def test_a_closed_account_is_refused_like_an_unknown_one(world: World) -> None:
    inside = await world.operator()
    await world.change("UPDATE operator_account SET deactivated_at = now()")

    answer = await (await world.visitor()).sign_in()

    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert not await is_inside(inside)


async def test_scripts_and_other_sites_do_not_get_the_cookies(world: World) -> None:
    answer = await (await world.visitor()).sign_in()

    session, browser = answer.headers.get_list("set-cookie")
    assert session.startswith("immuni-session=")
    assert browser.startswith("immuni-browser=")
    for cookie in (session, browser):
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
    assert "Max-Age" not in session


async def test_over_tls_cookies_are_bound_to_the_host(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> None:
    async with living_world(
        portal_database, services_database, certificates, public_url="https://portal.example"
    ) as world:
        answer = await (await world.visitor()).sign_in()

    for cookie in answer.headers.get_list("set-cookie"):
        assert cookie.startswith("__Host-immuni-")
        assert cookie.endswith("; Secure")
    a_year = "max-age=31536000; includeSubDomains"
    assert answer.headers["strict-transport-security"] == a_year


async def test_the_database_holds_nothing_that_opens_a_session(world: World) -> None:
    operator = await world.operator()
    cookies = dict(operator.http.cookies)
    rows = repr(await world.rows("SELECT * FROM session, known_browser, operator_account"))

    assert PASSWORD not in rows
    for value in cookies.values():
        assert value not in rows


async def test_a_session_lives_as_long_as_it_is_used(world: World) -> None:
    operator = await world.operator()

    for _ in range(5):
        world.clock.advance(IDLE - timedelta(seconds=1))
        assert await is_inside(operator)
    world.clock.advance(IDLE)

    answer = await operator.get()
    assert answer.headers["location"] == "/sign-in?ended"
    assert "Your session has ended." in (await operator.get("/sign-in?ended")).text


async def test_after_a_shift_a_session_ends_whatever_happens(world: World) -> None:
    operator = await world.operator()

    for _ in range(40):
        assert await is_inside(operator)
        world.clock.advance(timedelta(minutes=15))

    assert not await is_inside(operator)


async def test_signing_out_ends_the_session_wherever_its_cookie_is(world: World) -> None:
    operator, thief = await world.operator(), await world.visitor()
    thief.http.cookies = operator.http.cookies
    assert await is_inside(thief)

    answer = await operator.post("/sign-out", await operator.form())

    assert answer.headers["location"] == "/sign-in"
    assert "immuni-session" not in operator.http.cookies
    thief.http.cookies.set("immuni-session", "")
    assert not await is_inside(thief)


async def test_signing_in_again_leaves_no_session_behind(world: World) -> None:
    operator = await world.operator()
    before = operator.http.cookies["immuni-session"]

    await operator.sign_in()

    assert operator.http.cookies["immuni-session"] != before
    assert await world.rows("SELECT count(*) FROM session WHERE ended_at IS NULL") == [(1,)]


async def test_a_cookie_that_nobody_was_given_opens_nothing(world: World) -> None:
    visitor = await world.visitor()

    for cookie in ("", "x", "%C3%A8", "A" * 43, "A" * 5000):
        visitor.headers["Cookie"] = f"immuni-session={cookie}"
        assert not await is_inside(visitor)


async def test_guessing_is_stopped_but_stops_nobody_else(world: World) -> None:
    here = await world.visitor(source="192.0.2.1")
    await here.sign_in()
    guesser = await world.visitor(source="192.0.2.1")
    elsewhere = await world.visitor(source="192.0.2.2")

    for _ in range(5):
        assert (await guesser.sign_in("anna", "a wrong password")).status_code == 401
    stopped = await guesser.sign_in()

    assert stopped.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert stopped.headers["retry-after"] == "900"
    assert "15 minutes" in stopped.text
    assert (await here.sign_in()).status_code == HTTPStatus.SEE_OTHER
    assert (await elsewhere.sign_in()).status_code == HTTPStatus.SEE_OTHER
    world.clock.advance(timedelta(minutes=15))
    assert (await guesser.sign_in()).status_code == HTTPStatus.SEE_OTHER


async def test_what_a_visitor_says_of_their_address_does_not_count(world: World) -> None:
    answers = [
        await (await world.visitor(source=f"198.51.100.{number}, 192.0.2.1")).sign_in(
            "anna", "a wrong password"
        )
        for number in range(6)
    ]

    assert answers[-1].status_code == HTTPStatus.TOO_MANY_REQUESTS


async def test_a_visitor_gains_no_guesses_by_the_addresses_of_their_own_network(
    world: World,
) -> None:
    answers = [
        await (await world.visitor(source=f"2001:db8:1:2::{number}")).sign_in(
            "anna", "a wrong password"
        )
        for number in range(6)
    ]

    assert answers[-1].status_code == HTTPStatus.TOO_MANY_REQUESTS
