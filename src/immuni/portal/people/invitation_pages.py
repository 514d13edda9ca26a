"""The pages on which people are invited, and invitations taken back."""

from collections.abc import Mapping

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.portal.accounts.account import (
    InvalidNameError,
    InvalidUserError,
    parse_name,
    parse_user,
)
from immuni.portal.accounts.invitations import INVITATION_LIFETIME, InvitationToken
from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.people.invitation_store import InvitationStore, Inviter
from immuni.portal.people.inviting import Invited, Wish
from immuni.portal.people.pages import number_of, role_of
from immuni.portal.people.rules import Refusal, RefusedError, roles_given_by
from immuni.portal.people.store import PeopleStore


class InvitationPages:
    """Inviting somebody, and the invitations that are open."""

    def __init__(self, desk: Desk, *, door: Door) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._people = PeopleStore(desk.pool)
        self._store = InvitationStore(desk.pool)
        self._inviter = Inviter(desk)

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs = self._door.page, Permission.MANAGE_PEOPLE
        one = "/people/invitations/{id:int}"
        return [
            page("/people/invite", self.show_form, needs=needs),
            page("/people/invite", self.invite, needs=needs, method="POST", fresh=True),
            page("/people/invitations", self.show, needs=needs),
            page(f"{one}/revoke", self.revoke, needs=needs, method="POST", fresh=True),
            page(f"{one}/link", self.renew, needs=needs, method="POST", fresh=True),
        ]

    async def show_form(self, visit: Visit) -> Response:
        """Show the empty form."""
        return await self._form(visit)

    async def invite(self, visit: Visit) -> Response:
        """Invite, and show the link: once, in this very answer, since nobody keeps it."""
        try:
            wish = _wish_of(visit.form, host_id=visit.account.id)
            invited = await self._inviter.invite(visit.account, wish)
        except RefusedError as error:
            return await self._form(visit, refusal=error.refusal)
        return await self._link(visit, invited)

    async def show(self, visit: Visit) -> Response:
        """Show the invitations that wait."""
        return await self._list(visit)

    async def revoke(self, visit: Visit) -> Response:
        """Take an invitation back."""
        try:
            await self._inviter.revoke(visit.account, visit.request.path_params["id"])
        except RefusedError as error:
            return await self._list(visit, refusal=error.refusal)
        return RedirectResponse(self._desk.site.link("/people/invitations?done"), status_code=303)

    async def renew(self, visit: Visit) -> Response:
        """Make a new link for an invitation; the one before does not count any more."""
        try:
            invited = await self._inviter.renew(visit.account, visit.request.path_params["id"])
        except RefusedError as error:
            return await self._list(visit, refusal=error.refusal)
        return await self._link(visit, invited)

    async def _form(self, visit: Visit, *, refusal: Refusal | None = None) -> Response:
        return self._desk.pages.render(
            visit.request,
            "invite.html",
            session=visit.session,
            status=422 if refusal else 200,
            refusal=refusal,
            typed=visit.form,
            roles=roles_given_by(visit.account),
            organisations=await self._people.organisations(visit.account),
        )

    async def _list(self, visit: Visit, *, refusal: Refusal | None = None) -> Response:
        return self._desk.pages.render(
            visit.request,
            "invitations.html",
            session=visit.session,
            status=403 if refusal else 200,
            refusal=refusal,
            done="done" in visit.request.query_params,
            invitations=await self._store.open_invitations(
                visit.account, now=self._desk.clock.now()
            ),
            given=roles_given_by(visit.account),
            zone=self._desk.settings.portal_time_zone,
        )

    async def _link(self, visit: Visit, invited: Invited) -> Response:
        expires = self._desk.clock.now() + INVITATION_LIFETIME
        return self._desk.pages.render(
            visit.request,
            "invited.html",
            session=visit.session,
            url=join_url(self._desk, invited.token),
            invitation=await self._store.invitation(invited.id),
            until=expires.astimezone(self._desk.settings.portal_time_zone).date(),
        )


def join_url(desk: Desk, token: InvitationToken) -> str:
    """Return the link that is handed over; browsers send nobody what stands after the ``#``."""
    return f"{desk.site.origin}{desk.site.link('/join')}#{token.text}"


def _wish_of(form: Mapping[str, str], *, host_id: int) -> Wish:
    organisation_id = number_of(form.get("organisation", ""))
    if organisation_id is None:
        raise RefusedError(Refusal.ORGANISATION_UNKNOWN)
    user = form.get("user", "").strip()
    try:
        return Wish(
            organisation_id=organisation_id,
            role=role_of(form.get("role", "")),
            user=parse_user(user) if user else "",
            name=parse_name(form.get("name", "")),
            host_id=host_id,
        )
    except InvalidUserError:
        raise RefusedError(Refusal.USER_INVALID) from None
    except InvalidNameError:
        raise RefusedError(Refusal.NAME_INVALID) from None
