"""What holds for whichever second factor people add or take away."""

from starlette.responses import Response

from immuni.portal.desk import Desk
from immuni.portal.door import ProofWantedError, Visit
from immuni.portal.factors.store import FactorStore
from immuni.portal.settings import SecondFactor
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.session import Proof


class OwnFactors:
    """Who may add one, and where they go then."""

    def __init__(self, desk: Desk, entrance: Entrance) -> None:
        """Keep what decides it."""
        self._store = FactorStore(desk.pool, desk.trail)
        self._settings = desk.settings
        self._entrance = entrance

    @property
    def needs_one(self) -> bool:
        """Whether every account has to have a second factor."""
        return self._settings.portal_second_factor is SecondFactor.REQUIRED

    async def check_may_add(self, visit: Visit) -> None:
        """Let those in who have shown all they have; the password alone adds the first one only.

        Raises:
            ProofWantedError: Somebody has a second factor, and has not shown it.
        """
        if not visit.session.whole and (await self._store.factors_of(visit.account.id)).any:
            raise ProofWantedError("/account")

    async def after_adding(self, visit: Visit, proof: Proof) -> Response:
        """Go on after a factor was added: it was shown, too, and recovery codes come next."""
        codes = (await self._store.factors_of(visit.account.id)).recovery_codes
        return await self._entrance.go_on(
            visit, proof, "/account" if codes else "/account/recovery-codes"
        )

    def to_account(self) -> Response:
        """Go back to one's own page."""
        return self._entrance.to("/account")

    def refuse_last(self) -> Response:
        """Say on one's own page that the last factor stays until there is another one."""
        return self._entrance.to("/account?last")
