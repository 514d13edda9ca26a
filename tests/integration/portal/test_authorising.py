import asyncio
import re
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus

import pytest

from immuni.otp import ALPHABET, LOOK_ALIKES, check_digit, grouped
from immuni.portal.accounts.roles import Role
from tests.integration.portal.world import START, Visitor, World, add_account

pytestmark = pytest.mark.anyio


@pytest.fixture
async def operator(world: World) -> Visitor:
    return await world.operator()


def misread(code: str) -> str:
    """Return `code` with another check digit."""
    return code[:-1] + next(each for each in ALPHABET if each != check_digit(code[:-1]))


def value_of(page: str, name: str) -> str:
    match = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert match
    return match[1]


async def test_a_code_and_its_day_reach_the_otp_service(world: World, operator: Visitor) -> None:
    answer = await operator.authorise(world.code(), onset="2020-06-18")

    assert (answer.status_code, answer.headers["location"]) == (303, "/authorised")
    assert await world.authorised_codes() == [(date(2020, 6, 18), None, START)]


async def test_without_symptoms_the_day_of_the_test_does(world: World, operator: Visitor) -> None:
    await operator.authorise(world.code(), onset="none", tested="other", tested_date="2020-06-19")

    assert await world.authorised_codes() == [(None, date(2020, 6, 19), START)]


async def test_the_result_shows_which_day_was_given(world: World, operator: Visitor) -> None:
    await operator.authorise(world.code(), onset="2020-06-18")
    assert (
        "First day of symptoms: <strong>2 days ago, Thu 18 Jun"
        in (await operator.get("/authorised")).text
    )

    await operator.authorise(world.code(), onset="none", tested="2020-06-19")
    assert (
        "day of the test: <strong>Yesterday, Fri 19 Jun" in (await operator.get("/authorised")).text
    )


@pytest.mark.parametrize("kept", ["", "onset", "onset.2020-06-21", "other.2020-06-18", "onset.<b>"])
async def test_a_day_that_nobody_could_give_is_not_shown(
    world: World, operator: Visitor, kept: str
) -> None:
    await operator.authorise(world.code())
    operator.http.cookies.clear()
    operator = await world.operator()
    operator.http.cookies.set("immuni-given-day", kept)

    page = await operator.get("/authorised")

    assert page.status_code == 200
    assert "symptoms: <strong>" not in page.text


async def test_the_result_shows_how_long_the_code_lives(world: World, operator: Visitor) -> None:
    await operator.authorise(world.code())

    assert "2:30" in (await operator.get("/authorised")).text
    world.clock.advance(timedelta(seconds=100))
    assert "0:50" in (await operator.get("/authorised")).text
    world.clock.advance(timedelta(seconds=50))
    assert 'data-state="over"' in (await operator.get("/authorised")).text


async def test_a_result_is_not_shown_for_ever(world: World, operator: Visitor) -> None:
    await operator.authorise(world.code())
    world.clock.advance(timedelta(minutes=10, seconds=1))

    assert (await operator.get("/authorised")).headers["location"] == "/"


async def test_without_an_authorisation_there_is_no_result(operator: Visitor) -> None:
    assert (await operator.get("/authorised")).headers["location"] == "/"


async def test_while_one_code_is_alive_the_next_form_says_so(
    world: World, operator: Visitor
) -> None:
    sentence = "The code before this one"
    assert sentence not in (await operator.get()).text

    await operator.authorise(world.code())

    assert sentence in (await operator.get()).text
    world.clock.advance(timedelta(seconds=150))
    assert sentence not in (await operator.get()).text


async def test_a_misread_code_is_kept_and_what_to_read_again_is_said(
    world: World, operator: Visitor
) -> None:
    wrong = misread(world.code())

    answer = await operator.authorise(wrong)

    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert f'value="{wrong}"' in answer.text
    assert 'value="2020-06-18" required checked' in answer.text
    verdict = answer.text.partition('id="code-verdict"')[2].partition("<template")[0]
    for pair in LOOK_ALIKES:
        assert (f"{pair[0]} or {pair[2]}" in verdict) == bool(set(pair) & set(wrong)), pair
    assert await world.authorised_codes() == []


async def test_what_cannot_be_authorised_is_explained(world: World, operator: Visitor) -> None:
    right = {"code": world.code(), "onset": "2020-06-18"}
    for changes, sentence in (
        ({"code": ""}, "Please enter the code."),
        ({"code": "A2"}, "A code has ten characters."),
        ({"code": "BCDGMNOPTV"}, "A code never contains"),
        ({"onset": ""}, "Please choose a day."),
        ({"onset": "other"}, "Please choose a day."),
        ({"onset": "other", "onset_date": "soon"}, "This is not a date."),
        ({"onset": "2020-06-21"}, "This day has not come yet."),
        ({"onset": "2020-05-20"}, "30 days are the most."),
        ({"onset": "none"}, "Please choose a day."),
    ):
        answer = await operator.authorise(**(right | changes))

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, changes
        assert sentence in answer.text, changes
    assert await world.authorised_codes() == []


async def test_what_was_typed_is_shown_as_text(operator: Visitor) -> None:
    answer = await operator.authorise('"><script>alert(1)</script>')

    assert "<script>alert" not in answer.text


async def test_a_code_may_be_typed_in_groups(world: World, operator: Visitor) -> None:
    answer = await operator.authorise(grouped(world.code()).lower().replace(" ", "-"))

    assert answer.status_code == HTTPStatus.SEE_OTHER


async def test_another_form_with_the_same_code_is_told_that_it_is_authorised(
    world: World, operator: Visitor
) -> None:
    code = world.code()
    await operator.authorise(code)

    answer = await operator.authorise(code)

    assert answer.status_code == HTTPStatus.CONFLICT
    assert "This code is already authorised, and still valid." in answer.text
    assert len(await world.authorised_codes()) == 1


async def test_pressing_the_button_twice_authorises_once(world: World, operator: Visitor) -> None:
    form = await operator.form(code=world.code(), onset="2020-06-18")

    answers = await asyncio.gather(*(operator.post("/authorise", form) for _ in range(3)))

    assert {answer.headers["location"] for answer in answers} == {"/authorised"}
    assert len(await world.authorised_codes()) == 1


async def test_an_answer_that_was_lost_is_asked_for_again(world: World, operator: Visitor) -> None:
    await operator.authorise(world.code())
    world.wire.lose_next_answer()

    answer = await operator.authorise(world.code())

    assert answer.headers["location"] == "/authorised"
    assert len(await world.authorised_codes()) == 2
    assert world.wire.connections == 2


async def test_while_the_service_is_down_nothing_is_lost(world: World, operator: Visitor) -> None:
    code = world.code()
    form = await operator.form(code=code, onset="2020-06-18")
    world.wire.is_whole = False

    down = await operator.post("/authorise", form)

    assert down.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "Nothing is lost" in down.text
    assert value_of(down.text, "code") == code
    assert value_of(down.text, "id") == form["id"]
    world.wire.is_whole = True
    assert (await operator.post("/authorise", form)).headers["location"] == "/authorised"


async def test_an_authorisation_whose_answer_never_came_may_be_pressed_again(
    world: World, operator: Visitor
) -> None:
    await operator.authorise(world.code())
    form = await operator.form(code=world.code(), onset="2020-06-18")
    world.wire.lose_next_answer()
    world.wire.is_whole = False

    down = await operator.post("/authorise", form)
    world.wire.is_whole = True
    again = await operator.post("/authorise", form)

    assert down.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert again.headers["location"] == "/authorised"
    assert len(await world.authorised_codes()) == 2


async def test_today_is_the_day_where_the_operator_works(world: World) -> None:
    world.clock.set(datetime(2020, 6, 20, 22, 30, tzinfo=UTC))
    operator = await world.operator()

    assert 'value="2020-06-21"' in (await operator.get()).text
    assert (await operator.authorise(world.code(), onset="2020-06-21")).status_code == 303


async def test_a_form_left_open_until_the_session_ended_sends_nothing(
    world: World, operator: Visitor
) -> None:
    form = await operator.form(code=world.code(), onset="2020-06-18")
    world.clock.advance(timedelta(hours=1))

    answer = await operator.post("/authorise", form)

    assert answer.headers["location"] == "/sign-in?ended"
    assert await world.authorised_codes() == []


async def test_each_role_begins_at_its_own_work(world: World) -> None:
    begins = {}
    for role in (Role.SUPERVISOR, Role.ADMINISTRATOR, Role.AUDITOR):
        await world.add_account(role.value, role=role)
        answer = await (await world.operator(role.value)).get()
        begins[role] = answer.headers.get("location", "here")

    assert begins == {
        Role.SUPERVISOR: "here",
        Role.ADMINISTRATOR: "/watch",
        Role.AUDITOR: "/audit",
    }


async def test_other_roles_authorise_nothing(world: World) -> None:
    await add_account(
        world.pool, "audit", role=Role.AUDITOR, clock=world.clock, entropy=world.entropy
    )
    auditor = await world.visitor()
    await auditor.sign_in("audit")

    page = await auditor.get("/authorised")
    sent = await auditor.post(
        "/authorise",
        {"csrf": value_of(page.text, "csrf"), "code": world.code(), "onset": "2020-06-18"},
    )

    assert page.status_code == sent.status_code == HTTPStatus.FORBIDDEN
    assert "This page is for operators" in page.text
    assert await world.authorised_codes() == []
    refusals = await world.rows(
        "SELECT account_id, outcome, detail FROM audit_event WHERE action = 'page'"
    )
    assert refusals == [(2, "refused", {"needs": "authorise"})] * 2


async def test_the_address_of_a_refused_form_leads_to_an_empty_one(operator: Visitor) -> None:
    assert (await operator.get("/authorise")).headers["location"] == "/"


async def test_the_portal_speaks_italian(world: World) -> None:
    operator = await world.visitor(language="it-IT,it;q=0.9")
    sign_in = (await operator.get("/sign-in")).text
    await operator.sign_in()
    form = (await operator.get()).text
    await operator.authorise(world.code())
    result = (await operator.get("/authorised")).text

    assert '<html lang="it">' in sign_in
    assert "Autorizza un codice" in form
    assert "Oggi" in form
    assert "sab 20 giu" in form
    assert "Il codice è autorizzato" in result
