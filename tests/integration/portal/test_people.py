import asyncio
import re
from datetime import timedelta

import pytest

from immuni.portal.accounts.roles import Role
from tests.integration.portal.staff import OTHER, colleague, organisation_id, staff
from tests.integration.portal.world import ORGANISATION, World

pytestmark = pytest.mark.anyio

ACTIONS = ("end-sessions", "reset-factors", "deactivate", "reactivate")
MANAGED: dict[Role, dict[str, set[Role]]] = {
    Role.OPERATOR: {ORGANISATION: set(), OTHER: set()},
    Role.SUPERVISOR: {ORGANISATION: {Role.OPERATOR}, OTHER: set()},
    Role.ADMINISTRATOR: {ORGANISATION: set(Role), OTHER: set(Role)},
    Role.AUDITOR: {ORGANISATION: set(), OTHER: set()},
}
"""Of whom each role may change what they may do, by organisation."""


def expected(actor: Role, target: Role, organisation: str) -> int:
    if target in MANAGED[actor][organisation]:
        return 303
    return 404 if actor is Role.SUPERVISOR and organisation == OTHER else 403


@pytest.mark.parametrize("actor", Role)
async def test_each_role_can_do_each_action_to_exactly_those_of_the_table(
    world: World, actor: Role
) -> None:
    someone = await staff(world, actor)
    found: dict[tuple[str, Role, str], int] = {}
    wanted: dict[tuple[str, Role, str], int] = {}
    for organisation in (ORGANISATION, OTHER):
        for target in Role:
            id_ = await colleague(world, target, organisation)
            place = await organisation_id(world, organisation)
            for action in ACTIONS:
                answer = await someone.post(f"/people/{id_}/{action}")
                found[action, target, organisation] = answer[0]
            change = {"name": "x", "role": target.value, "organisation": place}
            found["change", target, organisation] = (
                await someone.post(f"/people/{id_}", **change)
            )[0]
            for action in (*ACTIONS, "change"):
                wanted[action, target, organisation] = expected(actor, target, organisation)

    assert found == wanted
    ((deactivated,),) = await world.rows(
        "SELECT count(*) FROM operator_account WHERE deactivated_at IS NOT NULL"
    )
    assert deactivated == 0, "whoever was deactivated was reactivated, or neither"


@pytest.mark.parametrize("actor", Role)
async def test_each_role_can_invite_exactly_those_of_the_table(world: World, actor: Role) -> None:
    someone = await staff(world, actor)
    await colleague(world, Role.OPERATOR, OTHER)
    page_is_theirs = actor in (Role.SUPERVISOR, Role.ADMINISTRATOR)
    for organisation in (ORGANISATION, OTHER):
        place = await organisation_id(world, organisation)
        for role in Role:
            status, _ = await someone.post("/people/invite", role=role, organisation=place)
            allowed = role in MANAGED[actor][organisation]
            assert status == (200 if allowed else 422 if page_is_theirs else 403)

    invited = await world.rows("SELECT role, organisation_id FROM invitation")
    assert len(invited) == sum(len(roles) for roles in MANAGED[actor].values())


async def test_a_supervisor_gives_no_role_and_no_place_that_is_not_theirs(world: World) -> None:
    supervisor = await staff(world, Role.SUPERVISOR)
    id_ = await colleague(world, Role.OPERATOR)
    await colleague(world, Role.OPERATOR, OTHER)
    own, other = await organisation_id(world), await organisation_id(world, OTHER)

    for role, place in (("supervisor", own), ("administrator", own), ("operator", other)):
        assert (await supervisor.post(f"/people/{id_}", name="", role=role, organisation=place))[
            0
        ] == 403

    rows = await world.rows("SELECT role, organisation_id FROM operator_account WHERE id = %s", id_)
    assert rows == [("operator", int(own))]
    refusals = await world.rows(
        "SELECT outcome, detail->>'reason' FROM audit_event WHERE action = 'account_change'"
    )
    assert refusals == [("refused", "role_not_yours")] * 2 + [("refused", "not_yours")]


async def test_a_supervisor_sees_the_own_organisation_alone(world: World) -> None:
    supervisor = await staff(world, Role.SUPERVISOR)
    stranger = await colleague(world, Role.OPERATOR, OTHER)
    other = await organisation_id(world, OTHER)

    page = await supervisor.get(f"/people?organisation={other}")

    assert f"/people/{stranger}" not in page
    assert "anna" in page
    assert (await supervisor.visitor.get(f"/people/{stranger}")).status_code == 404


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
async def test_nobody_changes_their_own_account(world: World, role: Role) -> None:
    someone = await staff(world, role)
    ((own,),) = await world.rows("SELECT id FROM operator_account WHERE role = %s", role.value)
    form = {"name": "", "role": "administrator", "organisation": await organisation_id(world)}

    for path in ("", "/deactivate", "/end-sessions"):
        status, page = await someone.post(f"/people/{own}{path}", **form)
        assert status == 403
        assert "Nobody changes their own account here" in page

    assert len(await world.rows("SELECT FROM operator_account WHERE deactivated_at IS NULL")) == 2


async def test_two_administrators_cannot_take_the_last_hold_from_each_other_at_once(
    world: World,
) -> None:
    one = await staff(world, Role.ADMINISTRATOR, user="one")
    two = await staff(world, Role.ADMINISTRATOR, user="two")
    query = "SELECT id FROM operator_account WHERE user_name IN ('one', 'two') ORDER BY user_name"
    (first,), (second,) = await world.rows(query)

    answers = await asyncio.gather(
        one.post(f"/people/{second}/deactivate"), two.post(f"/people/{first}/deactivate")
    )

    assert sorted(status for status, _ in answers) == [303, 403]
    query = "SELECT FROM operator_account WHERE role = 'administrator' AND deactivated_at IS NULL"
    assert len(await world.rows(query)) == 1


async def test_whoever_leaves_is_out_at_once_and_so_are_their_invitations(world: World) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    supervisor = await staff(world, Role.SUPERVISOR)
    place = await organisation_id(world)
    _, page = await supervisor.post("/people/invite", role="operator", organisation=place)
    token = token_on(page)
    ((leaving,),) = await world.rows("SELECT id FROM operator_account WHERE role = 'supervisor'")

    status, _ = await administrator.post(f"/people/{leaving}/deactivate")

    assert status == 303
    assert (await supervisor.visitor.get("/people")).status_code == 303
    assert (await supervisor.visitor.sign_in("supervisor")).status_code == 401
    assert (await supervisor.visitor.post("/join", {"token": token})).status_code == 410
    await administrator.post(f"/people/{leaving}/reactivate")
    assert (await supervisor.visitor.sign_in("supervisor")).status_code == 303
    assert (await supervisor.visitor.post("/join", {"token": token})).status_code == 410


async def test_another_role_ends_what_the_old_one_opened(world: World) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    supervisor = await staff(world, Role.SUPERVISOR)
    ((id_,),) = await world.rows("SELECT id FROM operator_account WHERE role = 'supervisor'")
    form = {"role": "operator", "organisation": await organisation_id(world)}

    await administrator.post(f"/people/{id_}", name="Renamed", **{**form, "role": "supervisor"})
    assert "Renamed" in await supervisor.get(f"/people/{id_}")
    await administrator.post(f"/people/{id_}", name="Renamed", **form)

    assert (await supervisor.visitor.get("/people")).status_code == 303
    assert (await supervisor.visitor.sign_in("supervisor")).status_code == 303
    assert (await supervisor.visitor.get("/people")).status_code == 403


def token_on(page: str) -> str:
    match = re.search(r"/join#([\w-]{43})<", page)
    assert match
    return match[1]


async def test_an_invitation_is_made_once_renewed_taken_back_and_shown_once(world: World) -> None:
    supervisor = await staff(world, Role.SUPERVISOR)
    form = {"role": "operator", "organisation": await organisation_id(world), "user": "Bruno"}

    _, page = await supervisor.post("/people/invite", **form)
    first = token_on(page)
    status, again = await supervisor.post("/people/invite", **form)
    assert status == 422
    assert "was invited under it" in again
    ((id_,),) = await world.rows("SELECT id FROM invitation")
    assert first not in await supervisor.get("/people/invitations")
    second = token_on((await supervisor.post(f"/people/invitations/{id_}/link"))[1])
    visitor = supervisor.visitor
    assert (await visitor.post("/join", {"token": first})).status_code == 410
    assert (await visitor.post("/join", {"token": second})).status_code == 200
    assert (await supervisor.post(f"/people/invitations/{id_}/revoke"))[0] == 303
    assert (await visitor.post("/join", {"token": second})).status_code == 410
    assert (await supervisor.post(f"/people/invitations/{id_}/link"))[0] == 403

    events = await world.rows(
        "SELECT action, subject FROM audit_event WHERE action LIKE 'invitation%' ORDER BY id"
    )
    names = ("invitation", "invitation_link", "invitation_revocation")
    assert events == [(name, f"invitation {id_}") for name in names]


async def test_an_invitation_of_another_organisation_is_nobody_elses(world: World) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    supervisor = await staff(world, Role.SUPERVISOR)
    await colleague(world, Role.OPERATOR, OTHER)
    place = await organisation_id(world, OTHER)
    _, page = await administrator.post("/people/invite", role="operator", organisation=place)
    ((id_,),) = await world.rows("SELECT id FROM invitation")

    assert (await supervisor.post(f"/people/invitations/{id_}/revoke"))[0] == 403
    assert (await supervisor.post(f"/people/invitations/{id_}/link"))[0] == 403
    assert "No invitation is open." in await supervisor.get("/people/invitations")
    visitor = await world.visitor()
    assert (await visitor.post("/join", {"token": token_on(page)})).status_code == 200


async def test_ten_thousand_people_are_found_fifty_at_a_time(world: World) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    await world.change(
        "INSERT INTO operator_account (organisation_id, user_name, display_name, role, created_at)"
        " SELECT 1, 'user' || n, 'Person 100%_' || to_char(n, 'FM00000'), 'operator', now()"
        " FROM generate_series(1, 10000) n"
    )

    first = await administrator.get("/people")
    last = await administrator.get("/people?page=201")
    one = await administrator.get("/people?text=0%25_00042")
    beyond = await administrator.get("/people?page=999999999999999&text=%00")

    assert "1 to 50 of 10002" in first
    assert "10001 to 10002 of 10002" in last
    assert "1 to 1 of 1" in one
    assert "Person 100%_00042" in one
    assert "Nobody was found." in beyond


async def test_the_last_day_on_which_somebody_came_in_is_told(world: World) -> None:
    await world.operator()
    world.clock.advance(timedelta(hours=23))
    administrator = await staff(world, Role.ADMINISTRATOR)

    assert "20 Jun 2020" in await administrator.get("/people/1")


async def test_organisations_begin_are_renamed_close_and_open_again(world: World) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    region = {"name": "Regione", "kind": "region", "parent": "", "active_from": "2020-07-01"}
    assert (await administrator.post("/organisations/new", **region))[0] == 303
    region_id = await organisation_id(world, "Regione")
    hospital = {**region, "name": "Nuovo", "kind": "hospital", "parent": region_id}
    assert (await administrator.post("/organisations/new", **hospital))[0] == 303
    id_ = await organisation_id(world, "Nuovo")

    assert (await administrator.post(f"/organisations/{id_}", **{**hospital, "name": "N2"}))[
        0
    ] == 303
    assert (await administrator.post(f"/organisations/{id_}/close"))[0] == 303
    assert "closed" in await administrator.get("/organisations")
    assert (await administrator.post(f"/organisations/{id_}/reopen"))[0] == 303

    rows = await world.rows(
        "SELECT name, kind, parent_id, active_from::text, closed_at FROM organisation"
        " WHERE id = %s",
        id_,
    )
    assert rows == [("N2", "hospital", int(region_id), "2020-07-01", None)]
    events = await world.rows(
        "SELECT action FROM audit_event WHERE subject = %s ORDER BY id",
        f"organisation {id_}",
    )
    actions = ("creation", "change", "closing", "reopening")
    assert events == [(f"organisation_{action}",) for action in actions]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"name": ORGANISATION.upper()}, None),
        ({"name": ORGANISATION}, "There is an organisation of that name already."),
        ({"name": "a\u202eb"}, "none of them hidden"),
        ({"kind": "castle"}, "Please choose one."),
        ({"active_from": "2020-02-30"}, "This is not a date."),
        ({"parent": "1"}, "This is no open region."),
        ({"parent": "999999999999999999999"}, "This is no open region."),
    ],
)
async def test_what_is_wrong_with_an_organisation_is_said_and_what_was_typed_stays(
    world: World, changes: dict[str, str], said: str | None
) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    form = {"name": "Nuovo", "kind": "hospital", "parent": "", "active_from": "2020-07-01"}

    status, page = await administrator.post("/organisations/new", **{**form, **changes})

    assert status == (422 if said else 303)
    if said:
        assert said in page
        assert changes.get("name", "Nuovo") in page


async def test_nobody_closes_their_own_organisation_or_the_last_administrators(
    world: World,
) -> None:
    administrator = await staff(world, Role.ADMINISTRATOR)
    own = await organisation_id(world)

    status, page = await administrator.post(f"/organisations/{own}/close")

    assert status == 422
    assert "Another administrator can close it" in page
    assert await administrator.get("/organisations")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR])
async def test_organisations_are_for_administrators(world: World, role: Role) -> None:
    someone = await staff(world, role)

    assert (await someone.visitor.get("/organisations")).status_code == 403
    assert (await someone.post("/organisations/new", name="x"))[0] == 403
    assert (await someone.post("/organisations/1/close"))[0] == 403
