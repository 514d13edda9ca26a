"""The visit to the upload screen: code, check, contents, permission, review, done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni.app.lockout import locked_until
from immuni.app.pages.answers import go_to, read_form
from immuni.app.pages.errand import Errand, ErrandKind
from immuni.app.pages.screens import Screens
from immuni.app.pages.words import Message, problem_message
from immuni.app.state import Positive
from immuni.app.transport import ServerUnreachableError
from immuni.app.upload import UploadFlow
from immuni.app.upload_errors import CodeExpiredError, UploadError, UploadOrderError
from immuni.errors import ImmuniError
from immuni.framework import ConsentRefusedError, StoreError
from immuni.otp import grouped


@dataclass(slots=True)
class UploadPages:
    """One page a step. What went wrong is said on the page that follows, once.

    What is asked of the server goes on while the browser is elsewhere, and is asked once.
    """

    screens: Screens
    _errand: Errand | None = field(default=None, init=False)
    _problem: type[ImmuniError] | None = field(default=None, init=False)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/upload", self.open),
            Route("/upload/code", self.code),
            Route("/upload/check-button", self.check_button),
            Route("/upload/check", self.check, methods=["POST"]),
            Route("/upload/waiting", self.waiting),
            Route("/upload/progress", self.progress),
            Route("/upload/contents", self.contents),
            Route("/upload/permission", self.permission),
            Route("/upload/permission", self.answer_permission, methods=["POST"]),
            Route("/upload/review", self.review),
            Route("/upload/send", self.send, methods=["POST"]),
            Route("/upload/done", self.done),
            Route("/upload/cancel", self.cancel, methods=["POST"]),
        ]

    async def open(self, request: Request) -> Response:
        """Go on with what was begun, or open the screen with a new code.

        Where the service has not started, say so.
        """
        if self._errand is not None:
            return go_to("/upload/waiting")
        if not self._is_region_active():
            return self.screens.show(request, "upload/not_started.html")
        phone = self.screens.phone
        if phone.flow is not None and phone.is_upload_open:
            return go_to(_where_it_stands(phone.flow))
        has_expired = phone.flow is not None and phone.flow.is_checked
        self._problem = CodeExpiredError if has_expired else None
        await phone.open_upload()
        return go_to("/upload/code")

    async def code(self, request: Request) -> Response:
        """Show the code."""
        flow = self.screens.phone.flow
        if flow is None:
            return go_to("/upload")
        if flow.is_checked:
            return go_to("/upload/contents")
        return self.screens.show(
            request,
            "upload/code.html",
            groups=grouped(flow.otp).split(),
            spoken=", ".join(flow.otp),
            problem=self._taken_problem(request),
            locked_seconds=self._locked_seconds(),
        )

    async def check_button(self, request: Request) -> Response:
        """Return the button alone, which counts down while it is locked."""
        return self.screens.show(
            request, "upload/check_button.html", locked_seconds=self._locked_seconds()
        )

    async def check(self, _request: Request) -> Response:
        """Ask the server whether the operator has authorised the code."""
        return await self._ask(ErrandKind.CHECK, self._check)

    async def waiting(self, request: Request) -> Response:
        """Show that something is under way; go on where it is done."""
        if self._errand is None:
            return go_to("/upload/code")
        if self._errand.is_done:
            return go_to(self._outcome(self._errand))
        return self.screens.show(request, "upload/waiting.html", **self._progress(self._errand))

    async def progress(self, request: Request) -> Response:
        """Answer the page that waits: go on, wait on, or say that it takes long."""
        errand = self._errand
        if errand is None or errand.is_done:
            return Response(headers={"HX-Redirect": "/upload/waiting"})
        values = self._progress(errand)
        if values["told"] == request.query_params.get("told"):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return self.screens.show(request, "upload/progress.html", **values | {"is_update": True})

    def _progress(self, errand: Errand) -> dict[str, object]:
        is_long = errand.is_long(self.screens.phone.clock.now())
        return {"kind": errand.kind, "told": "long" if is_long else "", "is_update": False}

    def _outcome(self, errand: Errand) -> str:
        self._errand = None
        return errand.outcome()

    async def _ask(self, kind: ErrandKind, run: Callable[[], Awaitable[str]]) -> Response:
        if self._errand is None:
            self._errand = Errand.begin(kind, run, self.screens.phone.clock.now())
        errand = self._errand
        await errand.be_patient()
        return go_to(self._outcome(errand) if errand.is_done else "/upload/waiting")

    async def _check(self) -> str:
        try:
            await self.screens.phone.check_code()
        except UploadOrderError:
            return "/upload"
        except (UploadError, ServerUnreachableError, StoreError) as error:
            self._problem = _known(error)
            return "/upload/code"
        return "/upload/contents"

    async def contents(self, request: Request) -> Response:
        """Say what would be sent."""
        flow = self.screens.phone.flow
        if flow is None or not flow.is_checked:
            return go_to("/upload/code")
        return self.screens.show(
            request,
            "upload/contents.html",
            province=self.screens.province(request),
            problem=self._taken_problem(request),
        )

    async def permission(self, request: Request) -> Response:
        """Ask the framework's own question."""
        flow = self.screens.phone.flow
        if flow is None or not flow.is_checked:
            return go_to("/upload/code")
        return self.screens.show(request, "upload/permission.html")

    async def answer_permission(self, request: Request) -> Response:
        """Hand the answer on to the framework."""
        form = await read_form(request)
        try:
            await self.screens.phone.share_keys(consent=form.get("answer") == "yes")
        except ConsentRefusedError:
            return go_to("/upload/contents")
        except UploadOrderError:
            return go_to("/upload/code")
        except StoreError as error:
            self._problem = _known(error)
            return go_to("/upload/contents")
        return go_to("/upload/review")

    async def review(self, request: Request) -> Response:
        """Show exactly what will be sent."""
        flow = self.screens.phone.flow
        contents = None if flow is None else flow.contents
        if contents is None:
            return go_to("/upload/contents")
        language = self.screens.language(request)
        first, last = contents.first_day, contents.last_day
        return self.screens.show(
            request,
            "upload/review.html",
            contents=contents,
            first_day=None if first is None else language.day(first),
            last_day=None if last is None else language.day(last),
            province=self.screens.province(request),
            packet_size=self.screens.phone.record.settings.values.teks_packet_size,
            problem=self._taken_problem(request),
        )

    async def send(self, _request: Request) -> Response:
        """Upload; a code that expired meanwhile leads to a new one."""
        return await self._ask(ErrandKind.SEND, self._send)

    async def _send(self) -> str:
        phone = self.screens.phone
        try:
            await phone.send_upload()
        except CodeExpiredError as error:
            await phone.open_upload()
            self._problem = type(error)
            return "/upload/code"
        except UploadOrderError:
            # A second click on the button finds the upload done.
            is_done = phone.flow is None and isinstance(phone.record.user, Positive)
            return "/upload/done" if is_done else "/upload/contents"
        except (UploadError, ServerUnreachableError, StoreError) as error:
            self._problem = _known(error)
            return "/upload/review"
        return "/upload/done"

    async def done(self, request: Request) -> Response:
        """Say thank you."""
        if not isinstance(self.screens.phone.record.user, Positive):
            return go_to("/")
        return self.screens.show(request, "upload/done.html")

    async def cancel(self, _request: Request) -> Response:
        """Leave; nothing is sent or kept, and nothing is said about it."""
        if self._errand is not None:
            # What is being sent may have arrived already: it is not taken back by leaving.
            if self._errand.kind is ErrandKind.SEND:
                return go_to("/upload/waiting")
            await self._errand.give_up()
            self._errand = None
        self.screens.phone.close_upload()
        return go_to("/")

    def _is_region_active(self) -> bool:
        record = self.screens.phone.record
        active = record.settings.values.active_regions
        if active is None or record.province is None:
            return True
        return self.screens.territory.region_of(record.province) in active

    def _taken_problem(self, request: Request) -> Message | None:
        problem, self._problem = self._problem, None
        return problem_message(problem, self.screens.language(request))

    def _locked_seconds(self) -> int:
        phone = self.screens.phone
        now = phone.clock.now()
        until = locked_until(phone.record.failed_checks, now)
        # Rounded up, so that the button never opens too early.
        return 0 if until is None else -int((now - until).total_seconds() // 1)


def _where_it_stands(flow: UploadFlow) -> str:
    """Return the page of the step that comes next."""
    if flow.contents is not None:
        return "/upload/review"
    return "/upload/contents" if flow.is_checked else "/upload/code"


def _known(error: ImmuniError) -> type[ImmuniError]:
    """Return the kind by which the words of an error are found."""
    return StoreError if isinstance(error, StoreError) else type(error)
