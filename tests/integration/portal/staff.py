"""People of several roles and organisations, for the tests of those who look after them."""

from dataclasses import dataclass

from immuni.portal.accounts.registration import create_account
from immuni.portal.accounts.roles import Role
from tests.integration.portal.world import ORGANISATION, PASSWORD, Visitor, World, hidden

OTHER = "Ospedale Minore"


@dataclass(frozen=True)
class Staff:
    """A world in which somebody who looks after people is signed in."""

    world: World
    visitor: Visitor
    csrf: str

    async def post(self, path: str, **form: str) -> tuple[int, str]:
        """Send a form of this session."""
        answer = await self.visitor.post(path, {"csrf": self.csrf, **form})
        return answer.status_code, answer.text

    async def get(self, path: str) -> str:
        """Open a page that is there."""
        answer = await self.visitor.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text


async def staff(world: World, role: Role, *, user: str = "") -> Staff:
    """Make an account of that role in the usual organisation, and sign it in."""
    user = user or role.value
    await create_account(
        world.pool,
        world.trail,
        user=user,
        password=PASSWORD,
        organisation=ORGANISATION,
        role=role,
        clock=world.clock,
        entropy=world.entropy,
    )
    visitor = await world.visitor()
    assert (await visitor.sign_in(user)).status_code == 303
    # Every page has the way out, and so has the one that says that a page is not for them.
    page = await visitor.get("/organisations")
    return Staff(world, visitor, hidden(page.text, "csrf"))


async def colleague(world: World, role: Role, organisation: str = ORGANISATION) -> int:
    """Make an account that never signs in, and return its id."""
    await world.change(
        "INSERT INTO organisation (name, created_at, active_from)"
        " VALUES (%s, now(), '2020-01-01') ON CONFLICT DO NOTHING",
        organisation,
    )
    await world.change(
        "INSERT INTO operator_account (organisation_id, user_name, role, created_at)"
        " SELECT id, 'user' || (SELECT count(*) FROM operator_account), %s, now()"
        " FROM organisation WHERE name = %s",
        role.value,
        organisation,
    )
    ((id_,),) = await world.rows("SELECT max(id) FROM operator_account")
    assert isinstance(id_, int)
    return id_


async def organisation_id(world: World, name: str = ORGANISATION) -> str:
    """Return an organisation's id as forms hold it."""
    ((id_,),) = await world.rows("SELECT id FROM organisation WHERE name = %s", name)
    return str(id_)
