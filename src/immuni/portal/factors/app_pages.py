"""One's own authenticator app: scanning its secret, confirming it, taking it away."""

import segno
from markupsafe import Markup
from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.factors import recovery, totp
from immuni.portal.factors.own import OwnFactors
from immuni.portal.factors.proving import SecondFactors
from immuni.portal.signing_in.session import Proof


class AppPages:
    """Pages for an app that shows codes."""

    def __init__(self, desk: Desk, *, door: Door, factors: SecondFactors, own: OwnFactors) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._factors = factors
        self._own = own

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, here = self._door.page, Permission.BE_HERE
        return [
            page("/account/app", self.show, needs=here, half=True, fresh=True),
            page("/account/app", self.confirm, needs=here, method="POST", half=True, fresh=True),
            page("/account/app/remove", self.remove, needs=here, method="POST", fresh=True),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show the secret, as a picture and as text, until it is confirmed."""
        await self._own.check_may_add(visit)
        account_id = visit.account.id
        secret = totp.draw_secret(self._desk.entropy)
        sealed = await self._factors.apps.begin_app(
            account_id,
            self._factors.keys.seal(secret, account_id=account_id, entropy=self._desk.entropy),
            now=self._desk.clock.now(),
        )
        if sealed is None:
            return self._own.to_account()
        return self._page(visit, self._factors.keys.open(sealed, account_id=account_id))

    async def confirm(self, visit: Visit) -> Response:
        """Take the first code: then the app counts, and a session that was half is whole."""
        await self._own.check_may_add(visit)
        account_id, now = visit.account.id, self._desk.clock.now()
        if (app := await self._factors.apps.app_in_setup(account_id)) is None:
            return self._own.to_account()
        secret = self._factors.keys.open(app.sealed, account_id=account_id)
        step = totp.step_of(secret, recovery.bare(visit.form.get("code", "")), now=now)
        if step is None:
            return self._page(visit, secret, wrong=True)
        await self._factors.apps.confirm_app(account_id, step, now=now)
        return await self._own.after_adding(visit, Proof.TOTP)

    async def remove(self, visit: Visit) -> Response:
        """Take the app away."""
        factors = await self._factors.store.factors_of(visit.account.id)
        if not factors.passkeys and self._own.needs_one:
            return self._own.refuse_last()
        await self._factors.apps.remove_app(visit.account.id, now=self._desk.clock.now())
        return self._own.to_account()

    def _page(self, visit: Visit, secret: bytes, *, wrong: bool = False) -> Response:
        uri = totp.uri_of(secret, user=visit.account.user, host=self._desk.site.host)
        # Drawn here, as part of the page: no other file, and no service, learns the secret.
        picture = segno.make(uri, error="m").svg_inline(
            scale=5, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None
        )
        return self._desk.pages.render(
            visit.request,
            "app.html",
            session=visit.session,
            status=422 if wrong else 200,
            wrong=wrong,
            picture=Markup(picture),  # noqa: S704 - drawn by the line above, holds no text
            secret=totp.secret_text(secret),
        )
