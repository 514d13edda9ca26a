import csv
import io
from collections import Counter

import httpx
import pytest

from immuni.portal.accounts.roles import Role
from immuni.portal.people.lists import MAX_ROWS
from tests.integration.portal.staff import OTHER, Staff, colleague, organisation_id, staff
from tests.integration.portal.world import ORGANISATION, World

pytestmark = pytest.mark.anyio

HEADER = "user;name;role;organisation\r\n"
LOSE_CONNECTION_AT = """
    CREATE OR REPLACE FUNCTION lose_connection() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;
    CREATE TRIGGER lose BEFORE UPDATE ON people_import_row FOR EACH ROW
        WHEN (OLD.line = %s) EXECUTE FUNCTION lose_connection()
"""


async def upload(someone: Staff, content: bytes, **more: str) -> httpx.Response:
    visitor = someone.visitor
    headers = {"Origin": visitor.origin, "Sec-Fetch-Site": "same-origin", **visitor.headers}
    return await visitor.http.post(
        "/people/import",
        data={"csrf": someone.csrf, "list": "", **more},
        files={"file": ("list.csv", content, "text/csv")},
        headers=headers,
    )


async def looked_at(someone: Staff, rows: str) -> str:
    """Upload a list and return the address of its page."""
    answer = await upload(someone, ("\ufeff" + HEADER + rows).encode())
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def verdicts(world: World) -> list[object]:
    return [
        row[0] for row in await world.rows("SELECT verdict FROM people_import_row ORDER BY line")
    ]


def people(count: int) -> str:
    return "".join(f"user{n};Person {n};operator;{ORGANISATION}\r\n" for n in range(count))


async def test_a_list_is_looked_at_applied_reported_and_its_links_make_accounts(
    world: World,
) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    before = await world.rows("SELECT * FROM operator_account ORDER BY id")
    rows = (
        f"new.one;New One;operatore;{ORGANISATION}\r\n"
        f"anna;Anna;supervisor;{ORGANISATION}\r\n"
        f"administrator;;operator;{ORGANISATION}\r\n"
        f"new.two;=cmd();operator;{ORGANISATION}\r\n"
        "new.three;Three;operator;Nowhere\r\n"
        f"NEW.ONE;Twin;auditor;{ORGANISATION}\r\n"
    )
    page = await looked_at(administrator, rows)

    seen = ["new", "change", "oneself", "formula", "organisation_unknown", "twice"]
    assert await verdicts(world) == seen
    assert "Nothing has changed yet" in await administrator.get(page)
    assert await world.rows("SELECT * FROM operator_account ORDER BY id") == before
    assert await world.rows("SELECT FROM invitation") == []

    assert (await administrator.post(f"{page}/apply"))[0] == 303
    report = await administrator.get(f"{page}/report.csv")
    status, links = await administrator.post(f"{page}/links")

    assert status == 200
    told = list(csv.reader(io.StringIO(report.removeprefix("\ufeff")), delimiter=";"))
    assert [row[-1] for row in told] == ["result", *seen]
    assert not any(cell.startswith("=") for row in told for cell in row)
    ((_, user, *_, link),) = list(csv.reader(io.StringIO(links), delimiter=";"))[1:]
    assert user == "new.one"
    token = link.partition("#")[2]
    assert token not in await administrator.get(page)
    assert await world.rows("SELECT role, display_name FROM operator_account WHERE id = 1") == [
        ("supervisor", "Anna")
    ]
    visitor = await world.visitor()
    form = {"token": token, "password": "seven purple umbrellas sing"}
    assert (await visitor.post("/join/accept", form)).status_code == 303


async def test_a_list_that_is_broken_off_anywhere_goes_on_and_does_nothing_twice(
    world: World,
) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    page = await looked_at(administrator, people(250))

    done = []
    for line in (2, 130, 251):
        # The server itself drops the connection in the middle of the row.
        await world.change(LOSE_CONNECTION_AT.replace("%s", str(line)))
        assert (await administrator.post(f"{page}/apply"))[0] == 503
        await world.change("DROP TRIGGER lose ON people_import_row")
        ((count,),) = await world.rows(
            "SELECT count(*) FROM people_import_row WHERE done_at IS NOT NULL"
        )
        ((invited,),) = await world.rows("SELECT count(*) FROM invitation")
        ((told,),) = await world.rows(
            "SELECT coalesce(sum((detail->>'count')::int), 0) FROM audit_event"
            " WHERE action = 'invitation'"
        )
        assert count == invited == told
        done.append(count)
    assert done == [0, 100, 200]
    assert "200 of 250 rows are done" in await administrator.get(page)
    for _ in range(2):
        assert (await administrator.post(f"{page}/apply"))[0] == 303

    users = Counter(await world.rows("SELECT user_name FROM invitation"))
    assert len(users) == 250
    assert set(users.values()) == {1}
    assert "The list was applied" in await administrator.get(page)


async def test_what_changed_since_a_list_was_looked_at_counts(world: World) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    page = await looked_at(
        administrator, f"bruno;;operator;{ORGANISATION}\r\ncarla;;operator;{OTHER}\r\n"
    )
    place = await organisation_id(world)
    await administrator.post("/people/invite", user="bruno", role="auditor", organisation=place)
    await colleague(world, Role.OPERATOR, OTHER)

    await administrator.post(f"{page}/apply")

    assert await verdicts(world) == ["user_taken", "new"]


async def test_a_supervisor_imports_operators_of_the_own_organisation_alone(world: World) -> None:
    supervisor = await staff(world, Role.SUPERVISOR)
    administrator = await staff(world, Role.ADMINISTRATOR)
    await colleague(world, Role.OPERATOR, OTHER)
    page = await looked_at(
        supervisor,
        f"one;;operator;{ORGANISATION}\r\ntwo;;supervisor;{ORGANISATION}\r\n"
        f"three;;operator;{OTHER}\r\nadministrator;;operator;{ORGANISATION}\r\n",
    )

    await supervisor.post(f"{page}/apply")

    assert await verdicts(world) == ["new", "role_not_yours", "not_yours", "role_not_yours"]
    for path in ("", "/report.csv"):
        assert (await administrator.visitor.get(page + path)).status_code == 404
    for path in ("/apply", "/links"):
        assert (await administrator.post(page + path))[0] == 404


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"x" * 10_000_000, 413, "Something went wrong"),
        (b"\x00" * 100, 422, "The first line must name the columns"),
        (HEADER.encode() + b"anna;Nicol\xf2;operator;x\r\n", 422, "Line 2."),
        (HEADER.encode(), 422, "There is nobody on the list."),
        ((HEADER + people(MAX_ROWS + 1)).encode(), 422, "There are more than 5000 rows"),
    ],
    ids=["huge", "nul", "latin", "empty", "long"],
)
async def test_what_is_no_list_is_refused_and_keeps_nothing(
    world: World, content: bytes, status: int, said: str
) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)

    answer = await upload(administrator, content)

    assert answer.status_code == status
    assert said in answer.text
    assert await world.rows("SELECT FROM people_import") == []


async def test_a_form_of_files_is_as_bound_to_its_session_as_any(world: World) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    stranger = Staff(world, administrator.visitor, "0" * 64)

    assert (await upload(stranger, HEADER.encode())).status_code == 403
    answer = await upload(administrator, b"", list="user,name\n<b>pasted</b>")
    assert answer.status_code == 422
    assert "&lt;b&gt;pasted&lt;/b&gt;" in answer.text


async def test_the_longest_list_is_applied_whole_and_shown_in_parts(world: World) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    administrator.visitor.http.timeout = httpx.Timeout(120)
    page = await looked_at(administrator, people(MAX_ROWS))

    assert (await administrator.post(f"{page}/apply"))[0] == 303

    assert await world.rows("SELECT count(*) FROM invitation") == [(MAX_ROWS,)]
    assert len(await administrator.get(page)) < 100_000
    assert "4901 to 5000 of 5000" in await administrator.get(f"{page}?page=50")
