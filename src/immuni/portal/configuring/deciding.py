"""A second person looks at a proposal, and publishes or rejects it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.configuring.rules import State, merged
from immuni.portal.configuring.service import (
    SetRefusedError,
    SetStaleError,
    SettingsServiceUnavailableError,
)
from immuni.portal.configuring.showing import (
    SET_LIMITS,
    Configuring,
    dangers_in,
    number_in_path,
    reason_in,
)
from immuni.portal.configuring.store import Proposal
from immuni.portal.door import Visit
from immuni.web.languages import translatable

_REQUEST_ID_BYTES: Final = 16
_SETTLED: Final = translatable(
    "Somebody settled this proposal meanwhile, or it cannot be settled by you. Nothing was done."
)
_STALE: Final = translatable("Another set was published meanwhile. Nothing was done.")
_REFUSED: Final = translatable("The service does not take this set. Nothing was published.")
_DANGERS: Final = translatable("Tick what it does to phones, if that is what you want.")
_NO_REASON: Final = translatable("Say why, in at most 500 characters.")
_UNKNOWN: Final = translatable(
    "The service did not answer. Whether the set is published is not known yet: ask again."
)


class DecidingPages:
    """What is proposed, and what becomes of it."""

    def __init__(self, parts: Configuring) -> None:
        """Keep what the pages need."""
        self._parts = parts

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, needs = self._parts.door.page, Permission.MANAGE_SETTINGS
        one = "/settings/proposals/{number:int}"
        return [
            page("/settings/proposals", self.show_all, needs=needs),
            page(one, self.show, needs=needs),
            page(
                f"{one}/approve",
                self.approve,
                needs=needs,
                method="POST",
                limits=SET_LIMITS,
                fresh=True,
            ),
            page(f"{one}/finish", self.finish, needs=needs, method="POST"),
            page(f"{one}/reject", self.reject, needs=needs, method="POST"),
            page(f"{one}/withdraw", self.withdraw, needs=needs, method="POST"),
            page(f"{one}/renew", self.renew, needs=needs, method="POST"),
        ]

    async def show_all(self, visit: Visit) -> Response:
        """Show all proposals, the newest first."""
        return self._parts.render(
            visit, "settings_proposals.html", proposals=await self._parts.store.proposals()
        )

    async def show(self, visit: Visit) -> Response:
        """Show a proposal beside the set that is in force now."""
        return await self._page(visit, await self._proposal(visit))

    async def approve(self, visit: Visit) -> Response:
        """Stand behind somebody else's proposal, and have it published."""
        proposal = await self._proposal(visit)
        check = await self._parts.service.check(proposal.draft.entries)
        if check.against != proposal.draft.based_on:
            return await self._page(visit, proposal, fault=_STALE, status=HTTPStatus.CONFLICT)
        if not set(check.dangers) <= dangers_in(visit.form):
            return await self._page(
                visit, proposal, fault=_DANGERS, status=HTTPStatus.UNPROCESSABLE_ENTITY
            )
        request_id = self._parts.desk.entropy.token(_REQUEST_ID_BYTES).hex()
        if not await self._parts.store.approve(
            proposal.id, visit.account, request_id=request_id, now=self._parts.now
        ):
            return await self._settled(visit)
        return await self._publish(visit, await self._proposal(visit))

    async def finish(self, visit: Visit) -> Response:
        """Ask again for an answer that was lost; nothing is published twice."""
        return await self._publish(visit, await self._proposal(visit))

    async def reject(self, visit: Visit) -> Response:
        """Settle somebody else's proposal without publishing it."""
        proposal = await self._proposal(visit)
        if not (reason := reason_in(visit.form)):
            return await self._page(
                visit,
                proposal,
                fault=_NO_REASON,
                typed=visit.form,
                status=HTTPStatus.UNPROCESSABLE_ENTITY,
            )
        done = await self._parts.store.reject(
            proposal.id, visit.account, reason=reason, now=self._parts.now
        )
        return self._done(proposal) if done else await self._settled(visit)

    async def withdraw(self, visit: Visit) -> Response:
        """Take one's own proposal back."""
        proposal = await self._proposal(visit)
        done = await self._parts.store.withdraw(proposal.id, visit.account, now=self._parts.now)
        return self._done(proposal) if done else await self._settled(visit)

    async def renew(self, visit: Visit) -> Response:
        """Make a draft of one's own proposal, upon the set that has overtaken it."""
        proposal = await self._proposal(visit)
        base = await self._parts.service.version(proposal.draft.based_on)
        merge = merged(base, proposal.draft, await self._parts.service.in_force())
        done = await self._parts.store.withdraw(
            proposal.id, visit.account, now=self._parts.now, into=merge.draft
        )
        return self._parts.to("/settings/draft") if done else await self._settled(visit)

    async def _publish(self, visit: Visit, proposal: Proposal) -> Response:
        """Ask the service to publish what two people approved, and note what it says."""
        if proposal.state is not State.APPROVED or proposal.request_id is None:
            return self._done(proposal)
        store, number, now = self._parts.store, proposal.id, self._parts.now
        try:
            version = await self._parts.service.publish(
                proposal.draft.entries,
                based_on=proposal.draft.based_on,
                author=proposal.author,
                approver=proposal.decided_by or "",
                reason=proposal.reason,
                dangers=proposal.dangers,
                request_id=proposal.request_id,
            )
        except SettingsServiceUnavailableError:
            return await self._page(
                visit, proposal, fault=_UNKNOWN, status=HTTPStatus.SERVICE_UNAVAILABLE
            )
        except (SetStaleError, SetRefusedError) as error:
            await store.note_refused(number, visit.account, proposal.request_id, now=now)
            fault = _STALE if isinstance(error, SetStaleError) else _REFUSED
            again = await self._proposal(visit)
            return await self._page(visit, again, fault=fault, status=HTTPStatus.CONFLICT)
        await store.note_published(number, visit.account, version, now=now)
        return self._done(proposal)

    async def _proposal(self, visit: Visit) -> Proposal:
        found = await self._parts.store.proposal(number_in_path(visit, "number"))
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return found

    def _done(self, proposal: Proposal) -> Response:
        return self._parts.to(f"/settings/proposals/{proposal.id}")

    async def _settled(self, visit: Visit) -> Response:
        proposal = await self._proposal(visit)
        return await self._page(visit, proposal, fault=_SETTLED, status=HTTPStatus.CONFLICT)

    async def _page(
        self,
        visit: Visit,
        proposal: Proposal,
        *,
        fault: str = "",
        typed: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        check, merge, in_force = None, None, None
        # What is settled is compared with what it was begun on: that is what was decided.
        try:
            if proposal.state is State.OPEN:
                in_force = await self._parts.service.in_force()
                if in_force.version != proposal.draft.based_on:
                    base = await self._parts.service.version(proposal.draft.based_on)
                    merge = merged(base, proposal.draft, in_force)
            check = await self._parts.service.check(
                proposal.draft.entries, against=proposal.draft.based_on
            )
        except SettingsServiceUnavailableError:
            if proposal.state is not State.APPROVED:
                raise
        return self._parts.render(
            visit,
            "settings_proposal.html",
            status=status,
            proposal=proposal,
            own=proposal.author_id == visit.account.id,
            check=check,
            merge=merge,
            in_force=in_force.version if in_force else None,
            fault=fault,
            reason=(typed or {}).get("reason", ""),
            meant=dangers_in(visit.form),
        )
