"""One's own passkeys: adding, naming and taking away; and the choice at the very first sign-in."""

import unicodedata
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from immuni.portal.accounts.roles import Permission
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.factors.challenges import ChallengeError, Purpose, mark_of
from immuni.portal.factors.own import OwnFactors
from immuni.portal.factors.passkey_store import Passkey, PasskeyRefusedError
from immuni.portal.factors.passkeys import PasskeyError
from immuni.portal.factors.proving import SecondFactors
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.session import Proof

_NAME_LENGTH: Final = 40


class PasskeyPages:
    """Pages for passkeys."""

    def __init__(
        self,
        desk: Desk,
        *,
        door: Door,
        entrance: Entrance,
        factors: SecondFactors,
        own: OwnFactors,
    ) -> None:
        """Keep what the pages need."""
        self._desk = desk
        self._door = door
        self._entrance = entrance
        self._factors = factors
        self._own = own

    def routes(self) -> list[Route]:
        """Return the routes."""
        page, here = self._door.page, Permission.BE_HERE
        path = "/account/passkeys"
        return [
            page("/account/set-up", self.show, needs=here, half=True, fresh=True),
            page(path, self.back, needs=here, half=True),
            page(path, self.add, needs=here, method="POST", half=True, fresh=True),
            page(f"{path}/rename", self.rename, needs=here, method="POST", fresh=True),
            page(f"{path}/remove", self.remove, needs=here, method="POST", fresh=True),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show the ways that there are."""
        await self._own.check_may_add(visit)
        return await self._page(visit)

    async def back(self, _visit: Visit) -> Response:
        """Lead whoever reloads the address of a refused form to the empty one."""
        return self._entrance.to("/account/set-up")

    async def add(self, visit: Visit) -> Response:
        """Keep what the browser has made: then a session that was half is whole."""
        await self._own.check_may_add(visit)
        try:
            await self._add(visit)
        except (PasskeyError, ChallengeError, PasskeyRefusedError):
            return await self._page(visit, refused=True)
        return await self._own.after_adding(visit, Proof.PASSKEY)

    async def rename(self, visit: Visit) -> Response:
        """Give one of one's own another name."""
        await self._factors.passkey_store.rename_passkey(
            visit.account.id, _number(visit), _name(visit)
        )
        return self._own.to_account()

    async def remove(self, visit: Visit) -> Response:
        """Take one of one's own away."""
        factors = await self._factors.store.factors_of(visit.account.id)
        if self._own.needs_one and factors.app_since is None and len(factors.passkeys) <= 1:
            return self._own.refuse_last()
        await self._factors.passkey_store.remove_passkey(
            visit.account.id, _number(visit), now=self._desk.clock.now()
        )
        return self._own.to_account()

    async def _add(self, visit: Visit) -> None:
        answer = self._factors.passkeys.read_new(visit.form.get("credential", ""))
        until = self._factors.challenges.check(
            answer.challenge,
            Purpose.ADD,
            self._entrance.browser_of(visit.request),
            account_id=visit.account.id,
        )
        made = self._factors.passkeys.verify_new(answer)
        if not await self._factors.passkey_store.spend_challenge(mark_of(answer.challenge), until):
            raise ChallengeError("the challenge was used before")
        now = self._desk.clock.now()
        passkey = Passkey(
            id=0,
            account_id=visit.account.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            name=_name(visit),
            created_at=now,
            last_used_at=None,
        )
        await self._factors.passkey_store.add_passkey(passkey, now=now)

    async def _page(self, visit: Visit, *, refused: bool = False) -> Response:
        factors = await self._factors.store.factors_of(visit.account.id)
        options = ""
        if (browser := self._entrance.browser_of(visit.request)) is not None:
            challenge = self._factors.challenges.make(
                Purpose.ADD, browser, account_id=visit.account.id
            )
            options = self._factors.passkeys.creation_options(
                visit.account, challenge, factors.passkeys
            )
        return self._desk.pages.render(
            visit.request,
            "set_up.html",
            session=visit.session,
            status=HTTPStatus.UNPROCESSABLE_ENTITY if refused else HTTPStatus.OK,
            refused=refused,
            factors=factors,
            options=options,
        )


def _name(visit: Visit) -> str:
    typed = unicodedata.normalize("NFKC", visit.form.get("name", ""))
    shown = " ".join("".join(each if each.isprintable() else " " for each in typed).split())
    return shown[:_NAME_LENGTH] or "Passkey"


def _number(visit: Visit) -> int:
    text = visit.form.get("id", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0
