"""The ways into the portal, put together: signing in, proving it again, joining, one's account."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from starlette.routing import BaseRoute

from immuni.portal.desk import Desk
from immuni.portal.door import Door
from immuni.portal.factors.app_pages import AppPages
from immuni.portal.factors.keys import FactorKeys
from immuni.portal.factors.own import OwnFactors
from immuni.portal.factors.passkey_pages import PasskeyPages
from immuni.portal.factors.prove_pages import ProofPages
from immuni.portal.factors.proving import SecondFactors
from immuni.portal.factors.recovery_pages import RecoveryPages
from immuni.portal.language_pages import LanguagePages
from immuni.portal.oidc.conversation import Conversations
from immuni.portal.oidc.pages import ProviderPages
from immuni.portal.own_account.pages import AccountPages
from immuni.portal.people.joining import JoinPages
from immuni.portal.settings import PortalSettings
from immuni.portal.signing_in.authentication import Authenticator
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.pages import SignInPages
from immuni.portal.signing_in.sessions import Sessions
from immuni.portal.signing_in.store import SessionStore
from immuni.portal.signing_in.using import SessionUse
from immuni.settings import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class WayIn:
    """Everything that stands between the street and the desk.

    Attributes:
        door: Makes the routes of pages, and stands before each.
        sessions: Who is signed in.
        entrance: Opens sessions.
        authenticator: Compares passwords, under the throttle.
        factors: Checks second factors.
        sign_in: The way in and out.
        proof: Where somebody shows once more who they are.
    """

    door: Door
    sessions: Sessions
    entrance: Entrance
    authenticator: Authenticator
    factors: SecondFactors
    sign_in: SignInPages
    proof: ProofPages

    @classmethod
    def of(cls, desk: Desk) -> Self:
        """Put it together.

        Raises:
            SettingsError: There are no keys for second factors.
        """
        sessions = Sessions(
            SessionStore(desk.pool, desk.trail),
            SessionUse(desk.pool, desk.trail),
            clock=desk.clock,
            entropy=desk.entropy,
            settings=desk.settings,
        )
        door, entrance = Door(desk.site, sessions), Entrance(desk, sessions)
        authenticator = Authenticator(desk)
        factors = SecondFactors(desk, _factor_keys(desk.settings))
        return cls(
            door=door,
            sessions=sessions,
            entrance=entrance,
            authenticator=authenticator,
            factors=factors,
            sign_in=SignInPages(
                desk, door=door, entrance=entrance, authenticator=authenticator, factors=factors
            ),
            proof=ProofPages(
                desk, door=door, entrance=entrance, authenticator=authenticator, factors=factors
            ),
        )

    def routes(self, desk: Desk, conversations: Conversations | None) -> Iterator[BaseRoute]:
        """Yield the routes of all pages on which people come in or look after their way in.

        Args:
            desk: What every page works with.
            conversations: With whom people may sign in besides.
        """
        door, entrance, factors = self.door, self.entrance, self.factors
        own = OwnFactors(desk, entrance)
        yield from self.sign_in.routes()
        yield from self.proof.routes()
        yield from JoinPages(desk, entrance=entrance).routes()
        yield from LanguagePages(desk.site).routes()
        if conversations:
            yield from ProviderPages(
                desk, door=door, entrance=entrance, conversations=conversations
            ).routes()
        yield from AccountPages(
            desk,
            door=door,
            entrance=entrance,
            authenticator=self.authenticator,
            sessions=self.sessions,
        ).routes()
        yield from AppPages(desk, door=door, factors=factors, own=own).routes()
        yield from PasskeyPages(
            desk, door=door, entrance=entrance, factors=factors, own=own
        ).routes()
        yield from RecoveryPages(desk, door=door).routes()


def _factor_keys(settings: PortalSettings) -> FactorKeys:
    if settings.portal_factor_keys is None:
        raise SettingsError(["portal_factor_keys: not set; the portal encrypts with them"])
    return settings.portal_factor_keys
