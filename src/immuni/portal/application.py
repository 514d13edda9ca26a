"""The portal as an ASGI application."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry
from psycopg import OperationalError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import ExceptionHandler

from immuni.clock import Clock
from immuni.database import Pool
from immuni.entropy import Entropy
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.pages import AuditPages
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.authorising.otp_service import OtpServiceClient
from immuni.portal.authorising.pages import AuthorisePages
from immuni.portal.configuring.pages import settings_routes
from immuni.portal.configuring.service import SettingsService, SettingsServiceUnavailableError
from immuni.portal.desk import Desk
from immuni.portal.door import Door, NotAllowedError, NotSignedInError, ProofWantedError
from immuni.portal.factors.app_pages import AppPages
from immuni.portal.factors.keys import FactorKeys
from immuni.portal.factors.own import OwnFactors
from immuni.portal.factors.passkey_pages import PasskeyPages
from immuni.portal.factors.prove_pages import ProofPages
from immuni.portal.factors.proving import SecondFactors
from immuni.portal.factors.recovery_pages import RecoveryPages
from immuni.portal.failures import FailurePages
from immuni.portal.forms import ForeignFormError, MalformedFormError
from immuni.portal.health import HealthEndpoints
from immuni.portal.history.pages import HistoryPages
from immuni.portal.language_pages import LanguagePages
from immuni.portal.learning.pages import LearningPages
from immuni.portal.limits.guard import Guard
from immuni.portal.limits.pages import WatchPages
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.oidc.conversation import Conversations
from immuni.portal.oidc.pages import ProviderPages
from immuni.portal.organisations.pages import OrganisationPages
from immuni.portal.own_account.pages import AccountPages
from immuni.portal.people.import_pages import ImportPages
from immuni.portal.people.invitation_pages import InvitationPages
from immuni.portal.people.joining import JoinPages
from immuni.portal.people.pages import PeoplePages
from immuni.portal.practising.pages import PracticePages
from immuni.portal.rendering import Pages
from immuni.portal.settings import PortalSettings
from immuni.portal.shell import PageShell
from immuni.portal.signing_in.authentication import Authenticator
from immuni.portal.signing_in.entrance import Entrance
from immuni.portal.signing_in.pages import SignInPages
from immuni.portal.signing_in.sessions import Sessions
from immuni.portal.signing_in.store import SessionStore
from immuni.portal.site import Site
from immuni.settings import SettingsError
from immuni.web import HttpMetrics, ShellError
from immuni.web.observing import Observer
from immuni.web.static_files import StaticFiles

_STATIC_FOLDER: Final = Path(__file__).parent / "static"


def create_portal(  # noqa: PLR0913 - everything that one portal is made of, each by its name
    *,
    pool: Pool,
    audit_keys: AuditKeys,
    otp_client: OtpServiceClient,
    settings_service: SettingsService,
    clock: Clock,
    entropy: Entropy,
    settings: PortalSettings,
    limits: LimitSettings,
    public_url: str,
    registry: CollectorRegistry,
    conversations: Conversations | None = None,
) -> Starlette:
    """Put the portal together.

    Args:
        pool: The portal's own database; whoever opened it closes it.
        audit_keys: What chains the audit trail.
        otp_client: The way to the OTP Service; whoever made it closes it.
        settings_service: The way to who publishes settings for phones; likewise.
        clock: Tells which day is today, and how old sessions are.
        entropy: Where the secrets of sessions come from.
        settings: What can be changed.
        limits: How many codes may be authorised.
        public_url: Where browsers reach the portal, a path prefix included.
        registry: Where requests are counted; one portal each.
        conversations: With whom people may sign in besides; whoever made them closes them.

    Raises:
        SettingsError: There are no keys for second factors.
        InvalidPublicUrlError: `public_url` is not one under which a portal may be served.
    """
    site = Site.parse(public_url)
    files = StaticFiles(_STATIC_FOLDER)
    desk = Desk(
        pool=pool,
        trail=AuditTrail(pool, audit_keys),
        pages=Pages(
            site,
            files,
            [each.provider for each in conversations or ()],
            insights_url=settings.portal_insights_url,
        ),
        site=site,
        clock=clock,
        entropy=entropy,
        settings=settings,
    )
    sessions = Sessions(
        SessionStore(pool, desk.trail), clock=clock, entropy=entropy, settings=settings
    )
    door = Door(site, sessions)
    entrance, authenticator = Entrance(desk, sessions), Authenticator(desk)
    factors, own = SecondFactors(desk, _factor_keys(settings)), OwnFactors(desk, entrance)
    sign_in = SignInPages(
        desk, door=door, entrance=entrance, authenticator=authenticator, factors=factors
    )
    proof = ProofPages(
        desk, door=door, entrance=entrance, authenticator=authenticator, factors=factors
    )
    providers = conversations and ProviderPages(
        desk, door=door, entrance=entrance, conversations=conversations
    )
    return Starlette(
        routes=[
            *AuthorisePages(
                desk, door=door, otp_client=otp_client, guard=Guard(desk, limits, registry)
            ).routes(),
            *HistoryPages(desk, door=door).routes(),
            *WatchPages(desk, door=door).routes(),
            *settings_routes(desk, door=door, service=settings_service),
            *sign_in.routes(),
            *proof.routes(),
            *JoinPages(desk, entrance=entrance).routes(),
            *InvitationPages(desk, door=door).routes(),
            *ImportPages(desk, door=door).routes(),
            *PeoplePages(desk, door=door).routes(),
            *OrganisationPages(desk, door=door).routes(),
            *AuditPages(desk, door=door).routes(),
            *LanguagePages(site).routes(),
            *LearningPages(desk, door=door).routes(),
            *(providers.routes() if providers else ()),
            *PracticePages(desk, door=door).routes(),
            *AccountPages(
                desk,
                door=door,
                entrance=entrance,
                authenticator=authenticator,
                sessions=sessions,
            ).routes(),
            *AppPages(desk, door=door, factors=factors, own=own).routes(),
            *PasskeyPages(desk, door=door, entrance=entrance, factors=factors, own=own).routes(),
            *RecoveryPages(desk, door=door).routes(),
            *HealthEndpoints(pool).routes(),
            files.route(),
        ],
        middleware=[
            Middleware(Observer, metrics=HttpMetrics(registry)),
            Middleware(PageShell, site=site, pages=desk.pages),
        ],
        exception_handlers=_exception_handlers(sign_in, proof, FailurePages(desk)),
    )


def _factor_keys(settings: PortalSettings) -> FactorKeys:
    if settings.portal_factor_keys is None:
        raise SettingsError(["portal_factor_keys: not set; the portal encrypts with them"])
    return settings.portal_factor_keys


def _exception_handlers(
    sign_in: SignInPages, proof: ProofPages, failures: FailurePages
) -> Mapping[Any, ExceptionHandler]:
    return {
        NotSignedInError: sign_in.refuse,
        ProofWantedError: proof.ask,
        NotAllowedError: failures.not_allowed,
        ForeignFormError: failures.foreign_form,
        MalformedFormError: failures.malformed_form,
        ShellError: failures.malformed_form,
        HTTPException: failures.http,
        OperationalError: failures.database,
        SettingsServiceUnavailableError: failures.settings_service,
    }
