"""The way to a provider and back, and the page on which people link theirs."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.desk import Desk
from immuni.portal.door import Door, NotSignedInError, Visit, open_page
from immuni.portal.oidc.conversation import Conversation, Conversations
from immuni.portal.oidc.failures import ProviderError, Reason
from immuni.portal.oidc.providers import Provider
from immuni.portal.oidc.rules import FLOW_LIFETIME, Flow, Identity
from immuni.portal.oidc.store import BegunFlow, FlowStore, IdentityStore
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.session import CookieSecret, Proof, Session
from immuni.telemetry import logger

_COOKIE: Final = "provider"
_STATUS: Final = {
    Reason.CANCELLED: HTTPStatus.OK,
    Reason.REFUSED: HTTPStatus.UNAUTHORIZED,
    Reason.UNREACHABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.NOT_TRUSTED: HTTPStatus.BAD_GATEWAY,
    Reason.NOT_LINKED: HTTPStatus.FORBIDDEN,
    Reason.STALE: HTTPStatus.BAD_REQUEST,
    Reason.TAKEN: HTTPStatus.CONFLICT,
}

_log: Final = logger("portal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One provider on the page on which people link theirs.

    Attributes:
        provider: Which.
        since: Since when it is linked; None where it is not.
    """

    provider: Provider
    since: datetime | None


class ProviderPages:
    """Signing in with a provider, and linking one to an account.

    Browsers come back from a provider across sites, and then keep the portal's cookies to
    themselves, since all of them are ``SameSite=Strict``. So whoever comes back first gets a page
    that leads on by itself; the step that it leads to is one from a page of ours.
    """

    def __init__(
        self, desk: Desk, *, door: Door, entrance: Entrance, conversations: Conversations
    ) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._entrance = entrance
        self._conversations = conversations
        self._flows = FlowStore(desk.pool)
        self._identities = IdentityStore(desk.pool, desk.trail)

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, here = self._door.page, Permission.BE_HERE
        return [
            open_page("/sign-in/with/{provider}", self.begin, method="POST"),
            open_page("/sign-in/with/{provider}/back", self.come_back),
            open_page("/sign-in/with/{provider}/arrive", self.arrive),
            page("/account/providers", self.show, needs=here),
            page(
                "/account/providers/{provider}/link",
                self.link,
                needs=here,
                method="POST",
                fresh=True,
            ),
            page(
                "/account/providers/{provider}/unlink",
                self.unlink,
                needs=here,
                method="POST",
                fresh=True,
            ),
        ]

    async def begin(self, request: Request) -> Response:
        """Lead to the provider, for signing in."""
        return await self._set_out(request, None)

    async def link(self, visit: Visit) -> Response:
        """Lead to the provider, for linking it to the account."""
        return await self._set_out(visit.request, visit.session)

    async def come_back(self, request: Request) -> Response:
        """Lead on from the provider's site to the portal's own; nothing is looked at yet."""
        provider = self._named(request).provider
        way = self._path(provider, "arrive") + f"?{request.url.query}"
        return self._desk.pages.render(request, "provider_way.html", way=way, provider=None)

    async def arrive(self, request: Request) -> Response:
        """Let somebody in, or link their account, if the provider says who they are."""
        conversation = self._named(request)
        provider, now = conversation.provider, self._desk.clock.now()
        cookie = CookieSecret.parse(request.cookies.get(self._desk.site.cookie(_COOKIE)))
        begun = await self._flows.finish(cookie.hash, provider, now=now) if cookie else None
        if cookie is None or begun is None:
            return self._failure(request, provider, Reason.STALE)
        try:
            identity = await conversation.who_came_back(
                request.url.query, Flow(cookie), redirect_uri=self._redirect_uri(provider)
            )
            answer = await self._finish(request, provider, begun, identity)
        except ProviderError as error:
            await self._record(provider, begun, error)
            answer = self._failure(request, provider, error.reason, linking=begun.account_id)
        answer.delete_cookie(
            self._desk.site.cookie(_COOKIE), path="/", secure=self._desk.site.secure
        )
        return answer

    async def show(self, visit: Visit) -> Response:
        """Show with which providers the account is linked."""
        since = await self._identities.linked_since(visit.account.id)
        connections = [
            Connection(provider=each.provider, since=since.get(each.provider.issuer))
            for each in self._conversations
        ]
        return self._desk.pages.render(
            visit.request,
            "account_providers.html",
            session=visit.session,
            connections=connections,
        )

    async def unlink(self, visit: Visit) -> Response:
        """Forget who somebody is at a provider."""
        provider = self._named(visit.request).provider
        await self._identities.unlink(visit.account.id, provider, now=self._desk.clock.now())
        return self._entrance.to("/account/providers")

    async def _set_out(self, request: Request, session: Session | None) -> Response:
        conversation = self._named(request)
        provider, flow = conversation.provider, Flow(CookieSecret.draw(self._desk.entropy))
        account_id = session.account.id if session else None
        try:
            way = await conversation.way_to(flow, redirect_uri=self._redirect_uri(provider))
        except ProviderError as error:
            await self._record(provider, BegunFlow(account_id), error)
            return self._failure(request, provider, error.reason, linking=account_id)
        await self._flows.begin(
            flow.cookie.hash, provider, account_id=account_id, now=self._desk.clock.now()
        )
        # Not a redirect: browsers hold those of forms to the Content Security Policy, which
        # would have to name every provider.
        answer = self._desk.pages.render(
            request, "provider_way.html", way=way, provider=provider, session=session
        )
        answer.set_cookie(
            self._desk.site.cookie(_COOKIE),
            flow.cookie.text,
            max_age=int(FLOW_LIFETIME.total_seconds()),
            path="/",
            secure=self._desk.site.secure,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _finish(
        self, request: Request, provider: Provider, begun: BegunFlow, identity: Identity
    ) -> Response:
        if begun.account_id is not None:
            return await self._finish_link(request, provider, begun.account_id, identity)
        account = await self._identities.account_of(identity)
        if account is None:
            raise ProviderError(Reason.NOT_LINKED, "no active account is linked")
        proof = Proof.PROVIDER if identity.two_factors else Proof.PROVIDER_ONE_FACTOR
        return await self._entrance.enter(request, account, proof)

    async def _finish_link(
        self, request: Request, provider: Provider, account_id: int, identity: Identity
    ) -> Response:
        try:
            session = await self._door.require(request)
        except NotSignedInError as error:
            raise ProviderError(Reason.STALE, "the session is over") from error
        if session.account.id != account_id or not session.whole:
            raise ProviderError(Reason.STALE, "somebody else is signed in by now")
        now = self._desk.clock.now()
        if not await self._identities.link(account_id, provider, identity, now=now):
            raise ProviderError(Reason.TAKEN, "the identity is linked to another account")
        return self._door.with_turn(self._entrance.to("/account/providers"), session)

    async def _record(self, provider: Provider, begun: BegunFlow, error: ProviderError) -> None:
        _log.warning("provider_refused", provider=provider.name, reason=str(error))
        action = Action.SIGN_IN if begun.account_id is None else Action.PROVIDER_LINK
        down = error.reason is Reason.UNREACHABLE
        await self._desk.trail.record(
            Event(
                at=self._desk.clock.now(),
                action=action,
                outcome=Outcome.UNAVAILABLE if down else Outcome.REFUSED,
                account_id=begun.account_id,
                detail={"provider": provider.name, "reason": error.reason},
            )
        )

    def _failure(
        self, request: Request, provider: Provider, reason: Reason, *, linking: int | None = None
    ) -> Response:
        return self._desk.pages.render(
            request,
            "provider_failure.html",
            status=_STATUS[reason],
            provider=provider,
            reason=reason,
            home="/sign-in" if linking is None else "/account/providers",
        )

    def _named(self, request: Request) -> Conversation:
        conversation = self._conversations.named(request.path_params["provider"])
        if conversation is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return conversation

    def _path(self, provider: Provider, step: str) -> str:
        return self._desk.site.link(f"/sign-in/with/{provider.name}/{step}")

    def _redirect_uri(self, provider: Provider) -> str:
        """One address for each provider, so that none can pass off another's answer as its own."""
        return self._desk.site.origin + self._path(provider, "back")
