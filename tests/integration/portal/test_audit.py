import json

import psycopg
import pytest
from prometheus_client import generate_latest
from psycopg import sql
from structlog.testing import capture_logs

from immuni.otp import ALPHABET, Otp, check_digit, grouped, otp_hash
from immuni.portal.accounts.roles import Role
from tests.integration.portal.world import PASSWORD, START, World, add_account

pytestmark = pytest.mark.anyio

TRAIL = """
    SELECT user_name, action, outcome FROM audit_event
    LEFT JOIN operator_account AS account ON account.id = account_id
    ORDER BY audit_event.id
"""


async def test_every_sign_in_sign_out_and_authorisation_leaves_one_row(world: World) -> None:
    operator = await world.visitor()
    await operator.sign_in("nobody", "a wrong password")
    await operator.sign_in("anna", "a wrong password")
    await operator.sign_in()
    code = world.code()
    await operator.authorise(code)
    await operator.authorise(code)
    await operator.authorise("not a code")
    world.wire.cut()
    await operator.authorise(world.code())
    await operator.post("/sign-out", await operator.form())

    assert await world.rows(TRAIL) == [
        ("anna", "account_creation", "done"),
        (None, "sign_in", "refused"),
        ("anna", "sign_in", "refused"),
        ("anna", "sign_in", "done"),
        ("anna", "authorisation", "authorised"),
        ("anna", "authorisation", "already_authorised"),
        ("anna", "authorisation", "unavailable"),
        ("anna", "sign_out", "done"),
    ]
    assert await world.rows("SELECT DISTINCT at FROM audit_event") == [(START,)]


async def test_nobody_changes_or_removes_a_row(world: World) -> None:
    before = await world.rows(TRAIL)

    for url in (world.databases[0].portal, world.databases[0].owner):
        for statement in (
            "UPDATE audit_event SET outcome = 'refused'",
            "DELETE FROM audit_event",
            "TRUNCATE audit_event",
        ):
            with pytest.raises(
                (psycopg.errors.RaiseException, psycopg.errors.InsufficientPrivilege)
            ):
                async with await psycopg.AsyncConnection.connect(url) as connection:
                    await connection.execute(statement)

    assert await world.rows(TRAIL) == before


async def test_neither_code_nor_hash_nor_password_is_kept_logged_or_counted(world: World) -> None:
    code, other = world.code(), world.code()
    wrong = Otp(other[:-1] + next(each for each in ALPHABET if each != check_digit(other[:-1])))
    mistyped = "my password instead of my name"

    with capture_logs() as logs:
        operator = await world.visitor(source="203.0.113.77")
        await operator.sign_in(mistyped, "a wrong password")
        await operator.sign_in()
        await operator.authorise(code)
        await operator.authorise(wrong)
        world.wire.cut()
        await operator.authorise(other)

    told = "\n".join((await everything(world), json.dumps(logs), metrics(world))).lower()
    assert "request_answered" in told
    assert "anna" in told
    for code_like in (code, wrong, other):
        for form in (code_like, grouped(code_like), otp_hash(code_like)):
            assert form.lower() not in told
    for secret in (PASSWORD, mistyped, "a wrong password", "203.0.113.77", "127.0.0.1"):
        assert secret not in told


async def test_logs_do_not_say_who_it_was(world: World) -> None:
    with capture_logs() as logs:
        operator = await world.operator()
        await operator.authorise(world.code())

    assert "anna" not in json.dumps(logs)
    assert {log["endpoint"] for log in logs} >= {"/sign-in", "/", "/authorise"}


async def test_making_an_account_leaves_a_row(world: World) -> None:
    await add_account(
        world.pool, "bruno", role=Role.SUPERVISOR, clock=world.clock, entropy=world.entropy
    )

    assert (await world.rows(TRAIL))[-1] == ("bruno", "account_creation", "done")


async def everything(world: World) -> str:
    """Return all rows of all tables as text."""
    async with await psycopg.AsyncConnection.connect(world.databases[0].owner) as connection:
        cursor = await connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        tables = [sql.Identifier(name) for (name,) in await cursor.fetchall()]
        query = sql.SQL("SELECT each::text FROM {} AS each")
        rows = [
            await (await connection.execute(query.format(table))).fetchall() for table in tables
        ]
    return repr(rows)


def metrics(world: World) -> str:
    return generate_latest(world.registry).decode()
