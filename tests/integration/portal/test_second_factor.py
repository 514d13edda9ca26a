"""The second factor over HTTP: nothing is reached with a password alone once there is one."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from prometheus_client import generate_latest
from starlette.routing import Route

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.accounts.store import end_sessions
from immuni.portal.factors.store import FactorStore, forget_factors
from immuni.portal.factors.totp import STEP, code_at
from immuni.portal.settings import SecondFactor
from tests.integration.portal.world import Visitor, World, hidden, living_world

pytestmark = pytest.mark.anyio

FOR_HALF_SESSIONS = {"/prove", "/prove/code", "/prove/passkey", "/sign-out", "/account/passkeys"}
STRANGE_BUDGET = 30
ROWS = (
    "SELECT row_to_json(row)::text FROM totp AS row",
    "SELECT row_to_json(row)::text FROM recovery_code AS row",
    "SELECT row_to_json(row)::text FROM session AS row",
    "SELECT row_to_json(row)::text FROM audit_event AS row",
)


@pytest.fixture
async def strict(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[World]:
    """A portal on which every account has to have a second factor."""
    async with living_world(
        portal_database,
        services_database,
        certificates,
        second_factor=SecondFactor.REQUIRED,
    ) as world:
        yield world


async def csrf_of(visitor: Visitor, path: str) -> str:
    return hidden((await visitor.get(path)).text, "csrf")


async def send(visitor: Visitor, path: str, page: str, **fields: str) -> httpx.Response:
    return await visitor.post(path, {"csrf": await csrf_of(visitor, page), **fields})


async def set_up_app(visitor: Visitor, world: World) -> bytes:
    """Let an app show codes for whoever is signed in, and return its secret."""
    page = (await visitor.get("/account/app")).text
    match = re.search(r'id="secret"[^>]*>([A-Z2-7 ]+)<', page)
    assert match, page
    secret = base64.b32decode(match[1].replace(" ", ""))
    answer = await send(
        visitor, "/account/app", "/account/app", code=code_at(secret, world.clock.now())
    )
    assert answer.status_code == HTTPStatus.SEE_OTHER
    # The code that confirmed it is over.
    world.clock.advance(STEP)
    return secret


async def make_recovery_codes(visitor: Visitor) -> list[str]:
    answer = await send(visitor, "/account/recovery-codes", "/account/recovery-codes")
    codes = re.findall(r"<li>([2-9A-Z-]{19})</li>", answer.text)
    assert len(codes) == 10
    return codes


async def prove(visitor: Visitor, code: str, to: str = "/") -> httpx.Response:
    return await send(visitor, "/prove/code", "/prove", code=code, to=to)


async def half(world: World, source: str = "") -> Visitor:
    """Return a browser that never was here, and knows the password."""
    visitor = await world.visitor(source=source)
    assert (await visitor.sign_in()).status_code == HTTPStatus.SEE_OTHER
    return visitor


async def is_inside(visitor: Visitor) -> bool:
    return (await visitor.get()).status_code == HTTPStatus.OK


async def test_the_first_sign_in_leads_to_a_second_factor_and_then_on(strict: World) -> None:
    anna = await half(strict)
    assert (await anna.get()).headers["location"] == "/prove?to=%2F"
    assert (await anna.get("/prove")).headers["location"] == "/account/set-up"
    assert "Add a passkey" in (await anna.get("/account/set-up")).text

    await set_up_app(anna, strict)
    await make_recovery_codes(anna)

    assert await is_inside(anna)
    events = await strict.rows("SELECT action, outcome, detail FROM audit_event ORDER BY id")
    assert events[1:] == [
        ("sign_in", "done", {"proof": "password", "strength": "half"}),
        ("factor_addition", "done", {"kind": "totp"}),
        ("proof", "done", {"proof": "totp"}),
        ("recovery_codes", "done", {"count": 10}),
    ]


async def test_where_it_is_offered_a_password_is_enough_until_there_is_one(world: World) -> None:
    anna = await world.operator()
    secret = await set_up_app(anna, world)

    again = await half(world)

    assert not await is_inside(again)
    assert (await prove(again, code_at(secret, world.clock.now()))).headers["location"] == "/"
    assert await is_inside(again)


async def test_a_password_alone_reaches_no_route_of_the_application(world: World) -> None:
    await set_up_app(await world.operator(), world)
    thief, stranger = await half(world), await world.visitor()
    csrf = await csrf_of(thief, "/prove")
    looked_at = 0

    for route in world.app.routes:
        assert isinstance(route, Route)
        path = re.sub(r"\{[^}]*\}", "1", route.path)
        if path in FOR_HALF_SESSIONS:
            continue
        for method in route.methods or ():
            told = (await ask(stranger, method, path, "")).headers.get("location")
            if told != "/sign-in" or path.startswith("/sign-in"):
                continue  # Open to everybody.
            answer = await ask(thief, method, path, csrf)
            looked_at += 1
            assert answer.status_code == HTTPStatus.SEE_OTHER, (method, path)
            assert answer.headers["location"].startswith("/prove?to="), (method, path)
    assert looked_at > 20


async def ask(visitor: Visitor, method: str, path: str, csrf: str) -> httpx.Response:
    if method == "POST":
        return await visitor.post(path, {"csrf": csrf})
    return await visitor.http.request(method, path)


async def test_a_half_session_ends_soon_and_gets_another_secret_when_it_is_whole(
    world: World,
) -> None:
    secret = await set_up_app(await world.operator(), world)
    anna, slow = await half(world), await half(world)
    before = anna.http.cookies["immuni-session"]

    await prove(anna, code_at(secret, world.clock.now()))
    world.clock.advance(timedelta(minutes=15))

    assert anna.http.cookies["immuni-session"].split(".")[0] != before.split(".")[0]
    assert await is_inside(anna)
    assert (await slow.get("/prove")).headers["location"] == "/sign-in?ended"


async def test_a_code_counts_once_and_only_around_its_time(world: World) -> None:
    secret = await set_up_app(await world.operator(), world)
    now = world.clock.now()

    async def try_code(code: str) -> int:
        return (await prove(await half(world), code)).status_code

    assert await try_code(code_at(secret, now)) == HTTPStatus.SEE_OTHER
    assert await try_code(code_at(secret, now)) == HTTPStatus.UNAUTHORIZED
    assert await try_code(code_at(secret, now - STEP)) == HTTPStatus.UNAUTHORIZED
    assert await try_code(code_at(secret, now + 2 * STEP)) == HTTPStatus.UNAUTHORIZED
    spaced = code_at(secret, now + STEP)
    assert await try_code(f" {spaced[:3]} {spaced[3:]} ") == HTTPStatus.SEE_OTHER


async def test_of_uses_at_the_same_instant_one_wins(world: World) -> None:
    anna = await world.operator()
    secret = await set_up_app(anna, world)
    recovery = (await make_recovery_codes(anna))[0]

    for code in (code_at(secret, world.clock.now()), recovery):
        rivals = [await half(world, source=f"192.0.2.{number}") for number in range(4)]
        answers = await asyncio.gather(*(prove(rival, code) for rival in rivals))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [303, 401, 401, 401]


async def test_a_recovery_code_lets_in_once_however_it_is_written(world: World) -> None:
    anna = await world.operator()
    await set_up_app(anna, world)
    code, other, *_ = await make_recovery_codes(anna)

    first = await prove(await half(world), code.lower().replace("-", " "))
    second = await prove(await half(world), code)
    await make_recovery_codes(anna)
    old = await prove(await half(world), other)

    assert [each.status_code for each in (first, second, old)] == [303, 401, 401]
    uses = "SELECT detail FROM audit_event WHERE action = 'recovery_code_use'"
    assert await world.rows(uses) == [({"left": 9},)]


async def test_whoever_guesses_codes_with_the_password_locks_nobody_out(world: World) -> None:
    anna = await world.operator()
    secret = await set_up_app(anna, world)
    recovery = (await make_recovery_codes(anna))[0]

    answers = []
    for number in range(STRANGE_BUDGET + 1):
        guesser = await half(world, source=f"192.0.2.{number}")
        answers.append((await prove(guesser, "000000")).status_code)
    stranger = await half(world, source="198.51.100.1")
    stopped = await prove(stranger, code_at(secret, world.clock.now()))

    assert answers == [HTTPStatus.UNAUTHORIZED] * STRANGE_BUDGET + [HTTPStatus.TOO_MANY_REQUESTS]
    assert stopped.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "A recovery code works at once." in stopped.text
    assert (await prove(stranger, recovery)).status_code == HTTPStatus.SEE_OTHER
    await anna.sign_in()
    answer = await prove(anna, code_at(secret, world.clock.now()))
    assert answer.status_code == HTTPStatus.SEE_OTHER
    world.clock.advance(timedelta(days=1))
    late = await prove(await half(world), code_at(secret, world.clock.now()))
    assert late.status_code == HTTPStatus.SEE_OTHER


async def test_one_browser_guesses_a_few_codes_only(world: World) -> None:
    secret = await set_up_app(await world.operator(), world)
    guesser = await half(world)

    statuses = [(await prove(guesser, "000000")).status_code for _ in range(6)]
    right = await prove(guesser, code_at(secret, world.clock.now()))

    assert statuses == [401] * 5 + [429]
    assert (right.status_code, right.headers["retry-after"]) == (429, "900")


async def test_what_matters_wants_a_fresh_proof_and_goes_on_where_one_was(world: World) -> None:
    anna = await world.operator()
    secret = await set_up_app(anna, world)
    await make_recovery_codes(anna)
    world.clock.advance(timedelta(minutes=11))

    asked = await anna.get("/account/recovery-codes?x=1")
    password = await anna.post(
        "/prove/password",
        {"csrf": await csrf_of(anna, "/prove"), "password": "correct horse battery"},
    )
    gone_on = await prove(
        anna, code_at(secret, world.clock.now()), to="/account/recovery-codes?x=1"
    )

    assert asked.headers["location"] == "/prove?to=%2Faccount%2Frecovery-codes%3Fx%3D1"
    assert password.headers["location"].startswith("/prove?to=")
    assert gone_on.headers["location"] == "/account/recovery-codes?x=1"
    assert (await anna.get("/account/recovery-codes")).status_code == HTTPStatus.OK


async def test_a_form_that_came_too_late_leads_back_to_its_page(world: World) -> None:
    anna = await world.operator()
    csrf = await csrf_of(anna, "/account/recovery-codes")
    world.clock.advance(timedelta(minutes=11))
    anna.headers["Referer"] = f"{world.origin}/account/recovery-codes"

    answer = await anna.post("/account/recovery-codes", {"csrf": csrf})

    assert answer.headers["location"] == "/prove?to=%2Faccount%2Frecovery-codes%3Fagain"
    assert "Not done yet." in (await anna.get("/?again")).text
    assert await world.rows("SELECT * FROM recovery_code") == []


async def test_the_last_factor_stays_where_one_is_needed(strict: World) -> None:
    anna = await half(strict)
    await set_up_app(anna, strict)

    answer = await send(anna, "/account/app/remove", "/account/recovery-codes")

    assert answer.headers["location"] == "/account?last"
    assert await strict.rows("SELECT count(*) FROM totp") == [(1,)]


async def test_a_reset_takes_all_factors_and_sessions_and_shows_nothing(strict: World) -> None:
    anna = await half(strict)
    await set_up_app(anna, strict)
    await make_recovery_codes(anna)
    async with strict.pool.connection() as connection:
        await forget_factors(connection, 1)
        await end_sessions(connection, 1, now=strict.clock.now())

    assert not (await FactorStore(strict.pool, strict.trail).factors_of(1)).any
    assert await strict.rows("SELECT count(*) FROM recovery_code") == [(0,)]
    assert (await anna.get()).headers["location"] == "/sign-in?ended"
    again = await half(strict)
    assert (await again.get("/prove")).headers["location"] == "/account/set-up"


async def test_secrets_are_in_no_row_no_log_and_no_metric(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    anna = await world.operator()
    secret = await set_up_app(anna, world)
    codes = await make_recovery_codes(anna)
    current = code_at(secret, world.clock.now())
    await prove(await half(world), codes[0])
    await prove(await half(world), "000000")
    await prove(await half(world), "not-a-code-at-all")
    await prove(await half(world), current)
    secrets = [
        *codes,
        *(code.replace("-", "") for code in codes),
        base64.b32encode(secret).decode(),
        secret.hex(),
        *anna.http.cookies.values(),
        "correct horse battery",
        "not-a-code-at-all",
    ]

    rows = str([await world.rows(query) for query in ROWS])
    told = capsys.readouterr()
    metrics = generate_latest(world.registry).decode()

    for marked in secrets:
        for place in (rows, told.out, told.err, metrics):
            assert marked not in place
