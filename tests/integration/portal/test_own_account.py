"""One's own account over HTTP: another password, and the sessions elsewhere."""

from datetime import timedelta
from http import HTTPStatus

import pytest

from tests.integration.portal.world import PASSWORD, Visitor, World, hidden

pytestmark = pytest.mark.anyio

NEW = "gatto lampada fiume"


async def change(visitor: Visitor, old: str, new: str) -> tuple[int, str]:
    csrf = hidden((await visitor.get("/account/password")).text, "csrf")
    answer = await visitor.post("/account/password", {"csrf": csrf, "old": old, "new": new})
    return answer.status_code, answer.headers.get("location", answer.text)


async def is_inside(visitor: Visitor) -> bool:
    return (await visitor.get()).status_code == HTTPStatus.OK


async def test_a_new_password_needs_the_old_one_and_ends_the_other_sessions(world: World) -> None:
    here, there = await world.operator(), await world.operator()

    refused = await change(here, "a wrong password", NEW)
    assert await is_inside(there)
    changed = await change(here, PASSWORD, NEW)

    assert refused[0] == HTTPStatus.UNPROCESSABLE_ENTITY
    assert changed == (HTTPStatus.SEE_OTHER, "/account?changed")
    assert await is_inside(here)
    assert not await is_inside(there)
    assert (await there.sign_in()).status_code == HTTPStatus.UNAUTHORIZED
    assert (await there.sign_in("anna", NEW)).status_code == HTTPStatus.SEE_OTHER


async def test_a_poor_password_is_refused_with_the_reason_and_shown_nowhere(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    anna = await world.operator()
    reasons = {
        "short": "12 to 128 characters",
        "password123456": "Many people use this one",
        "annaospedalemaggiore": "Your name or your organisation",
        "Sommer2020!!": "follows a pattern",
    }

    for password, reason in reasons.items():
        status, page = await change(anna, PASSWORD, password)
        assert (status, reason in page) == (HTTPStatus.UNPROCESSABLE_ENTITY, True), password
        assert password not in page or password == "short"
    assert "password123456" not in "".join(capsys.readouterr())
    assert (await (await world.visitor()).sign_in()).status_code == HTTPStatus.SEE_OTHER


async def test_sessions_are_listed_and_ended_one_by_one_or_all_but_this(world: World) -> None:
    here = await world.operator()
    world.clock.advance(timedelta(minutes=1))
    others = [await world.operator() for _ in range(3)]
    page = (await here.get("/account")).text
    assert page.count(">End<") == 3

    form = {"csrf": hidden(page, "csrf"), "id": hidden(page, "id")}
    await here.post("/account/sessions/end", form)
    assert [await is_inside(each) for each in others].count(True) == 2
    await here.post("/account/sessions/end-others", form)

    assert [await is_inside(each) for each in others] == [False] * 3
    assert await is_inside(here)
    events = "SELECT detail ->> 'count' FROM audit_event WHERE action = 'sessions_end' ORDER BY id"
    assert await world.rows(events) == [("1",), ("2",)]


async def test_nobody_ends_a_session_of_somebody_else(world: World) -> None:
    await world.add_account("bruno")
    anna, bruno = await world.operator(), await world.visitor()
    await bruno.sign_in("bruno")
    csrf = hidden((await anna.get("/account")).text, "csrf")
    ((number,),) = await world.rows("SELECT id FROM session WHERE account_id = 2")

    for text in (str(number), "x", "", "9" * 30):
        answer = await anna.post("/account/sessions/end", {"csrf": csrf, "id": text})
        assert answer.status_code == HTTPStatus.SEE_OTHER

    assert await is_inside(bruno)
