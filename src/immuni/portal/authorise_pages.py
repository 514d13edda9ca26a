"""The operator's one screen: a code, a day, one button, and what to say next."""

from datetime import date, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from immuni.errors import ImmuniError
from immuni.otp import LOOK_ALIKES
from immuni.portal.audit import Action, Outcome
from immuni.portal.desk import Desk
from immuni.portal.forms import read_own_form
from immuni.portal.otp_service import OtpServiceClient
from immuni.portal.routing import page
from immuni.portal.rules import Entry, Fault, InvalidEntryError, days_before, life_left
from immuni.portal.sessions import Session
from immuni.portal.sign_in_pages import SignInPages

_ONSET_BUTTONS: Final = 8
_TEST_BUTTONS: Final = 4
_ENTRY_ID_BYTES: Final = 16
_RESULT_SHOWN: Final = timedelta(minutes=10)
_STATUS: Final = {
    Outcome.ALREADY_AUTHORISED: 409,
    Outcome.REFUSED: 422,
    Outcome.UNAVAILABLE: 503,
}


class MayNotAuthoriseError(ImmuniError, PermissionError):
    """The account is for something else than authorising codes; nothing was sent.

    Attributes:
        session: Whose it is.
    """

    def __init__(self, session: Session) -> None:
        """Keep whose session it is."""
        super().__init__(f"{session.account.role} may not authorise codes")
        self.session = session


class AuthorisePages:
    """Authorising a code, and the minutes after."""

    def __init__(self, desk: Desk, *, sign_in: SignInPages, otp_client: OtpServiceClient) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._sign_in = sign_in
        self._otp_client = otp_client

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            page("/", self.show),
            page("/authorise", self.authorise, method="POST"),
            page("/authorise", self.start_again),
            page("/authorised", self.show_result),
        ]

    async def show(self, request: Request) -> Response:
        """Show the empty form, and the code before it while that is alive."""
        session = await self._operator(request)
        return await self._form(request, session, Entry(id=self._fresh_id()))

    async def start_again(self, _request: Request) -> Response:
        """Lead whoever reloads the address of a refused form to an empty one."""
        return self._to("/")

    async def authorise(self, request: Request) -> Response:
        """Have a code authorised; whatever goes wrong, what was entered stays."""
        session = await self._operator(request)
        form = await read_own_form(request, session)
        entry = Entry.of(form, fresh_id=self._fresh_id())
        try:
            authorisation = entry.parse(
                today=self._today(), max_age=self._desk.settings.portal_max_date_age
            )
        except InvalidEntryError as error:
            return await self._form(request, session, entry, faults=dict(error.faults))
        # The code's life is counted from before it was sent: shown too short, never too long.
        asked_at = self._desk.clock.now()
        outcome = await self._otp_client.authorise(
            authorisation, request_id=entry.request_id(authorisation)
        )
        await self._desk.store.record(
            Action.AUTHORISATION, outcome, account_id=session.account.id, now=asked_at
        )
        if outcome is Outcome.AUTHORISED:
            return self._to("/authorised")
        return await self._form(request, session, entry, outcome=outcome)

    async def show_result(self, request: Request) -> Response:
        """Show for how long the code lives, and what to say meanwhile."""
        session = await self._operator(request)
        authorised_at = await self._desk.store.last_authorisation(session.account.id)
        if authorised_at is None or authorised_at < self._desk.clock.now() - _RESULT_SHOWN:
            return self._to("/")
        return self._desk.pages.render(
            request,
            "authorised.html",
            session=session,
            look_alikes=LOOK_ALIKES,
            seconds_left=self._seconds_left(authorised_at),
            lifetime_seconds=self._lifetime_seconds,
        )

    async def refuse(self, request: Request, error: Exception) -> Response:
        """Tell an account of another role that this page is not for it."""
        session = error.session if isinstance(error, MayNotAuthoriseError) else None
        return self._desk.pages.render(
            request, "notice.html", notice="other_role", session=session, status=403
        )

    async def _operator(self, request: Request) -> Session:
        session = await self._sign_in.require(request)
        if not session.account.role.may_authorise:
            raise MayNotAuthoriseError(session)
        return session

    async def _form(
        self,
        request: Request,
        session: Session,
        entry: Entry,
        *,
        faults: dict[str, Fault] | None = None,
        outcome: Outcome | None = None,
    ) -> Response:
        today = self._today()
        authorised_at = await self._desk.store.last_authorisation(session.account.id)
        status = _STATUS[outcome] if outcome else (422 if faults else 200)
        return self._desk.pages.render(
            request,
            "authorise.html",
            session=session,
            status=status,
            entry=entry,
            faults=faults or {},
            outcome=outcome,
            look_alikes=LOOK_ALIKES,
            onset_days=days_before(today, _ONSET_BUTTONS),
            test_days=days_before(today, _TEST_BUTTONS),
            today=today,
            earliest=today - self._desk.settings.portal_max_date_age,
            max_days=self._desk.settings.portal_max_date_age.days,
            lifetime_seconds=self._lifetime_seconds,
            seconds_left=self._seconds_left(authorised_at) if authorised_at else 0,
        )

    def _seconds_left(self, authorised_at: datetime) -> int:
        left = life_left(
            authorised_at, now=self._desk.clock.now(), lifetime=self._desk.settings.otp_lifetime
        )
        return int(left.total_seconds())

    @property
    def _lifetime_seconds(self) -> int:
        return int(self._desk.settings.otp_lifetime.total_seconds())

    def _today(self) -> date:
        return self._desk.clock.now().astimezone(self._desk.settings.portal_time_zone).date()

    def _fresh_id(self) -> str:
        return self._desk.entropy.token(_ENTRY_ID_BYTES).hex()

    def _to(self, path: str) -> RedirectResponse:
        return RedirectResponse(self._desk.site.link(path), status_code=303)
