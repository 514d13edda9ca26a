"""The portal as an ASGI application."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry
from psycopg import OperationalError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ExceptionHandler

from immuni.clock import Clock
from immuni.database import Pool
from immuni.entropy import Entropy
from immuni.portal.accounts.passwords import PasswordKeeper
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.pages import AuditPages
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.authorising.otp_service import OtpServiceClient
from immuni.portal.authorising.pages import AuthorisePages
from immuni.portal.configuring.pages import settings_routes
from immuni.portal.configuring.service import SettingsService, SettingsServiceUnavailableError
from immuni.portal.desk import Desk
from immuni.portal.door import Door, NotAllowedError, NotSignedInError, ProofWantedError
from immuni.portal.failures import FailurePages
from immuni.portal.forms import ForeignFormError, MalformedFormError
from immuni.portal.health import HealthEndpoints
from immuni.portal.history.pages import HistoryPages
from immuni.portal.learning.pages import LearningPages
from immuni.portal.limits.guard import Guard
from immuni.portal.limits.pages import WatchPages
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.oidc.conversation import Conversations
from immuni.portal.organisations.pages import OrganisationPages
from immuni.portal.people.import_pages import ImportPages
from immuni.portal.people.invitation_pages import InvitationPages
from immuni.portal.people.pages import PeoplePages
from immuni.portal.practising.pages import PracticePages
from immuni.portal.rendering import Pages
from immuni.portal.settings import PortalSettings
from immuni.portal.shell import PageShell
from immuni.portal.site import Site
from immuni.portal.way_in import WayIn
from immuni.web import HttpMetrics, ShellError
from immuni.web.observing import Observer
from immuni.web.static_files import StaticFiles

_STATIC_FOLDER: Final = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Whom the portal asks over HTTP; whoever made them closes them.

    Attributes:
        otp: The OTP Service.
        settings: Whoever publishes settings for phones.
        providers: With whom people may sign in besides.
    """

    otp: OtpServiceClient
    settings: SettingsService
    providers: Conversations | None = None


def create_portal(  # noqa: PLR0913 - everything that one portal is made of, each by its name
    *,
    pool: Pool,
    audit_keys: AuditKeys,
    neighbours: Neighbours,
    clock: Clock,
    entropy: Entropy,
    settings: PortalSettings,
    limits: LimitSettings,
    public_url: str,
    registry: CollectorRegistry,
) -> Starlette:
    """Put the portal together.

    Args:
        pool: The portal's own database; whoever opened it closes it.
        audit_keys: What chains the audit trail.
        neighbours: Whom it asks over HTTP.
        clock: Tells which day is today, and how old sessions are.
        entropy: Where the secrets of sessions come from.
        settings: What can be changed.
        limits: How many codes may be authorised.
        public_url: Where browsers reach the portal, a path prefix included.
        registry: Where requests are counted; one portal each.

    Raises:
        SettingsError: There are no keys for second factors.
        InvalidPublicUrlError: `public_url` is not one under which a portal may be served.
    """
    site, files = Site.parse(public_url), StaticFiles(_STATIC_FOLDER)
    providers = [each.provider for each in neighbours.providers or ()]
    desk = Desk(
        pool=pool,
        trail=AuditTrail(pool, audit_keys),
        pages=Pages(site, files, providers, insights_url=settings.portal_insights_url),
        site=site,
        clock=clock,
        entropy=entropy,
        passwords=PasswordKeeper(entropy),
        settings=settings,
    )
    way_in = WayIn.of(desk)
    return Starlette(
        routes=[
            *_for_operators(desk, way_in.door, neighbours.otp, Guard(desk, limits, registry)),
            *_for_those_who_look_after(desk, way_in, neighbours.settings),
            *way_in.routes(desk, neighbours.providers if providers else None),
            *HealthEndpoints(pool).routes(),
            files.route(),
        ],
        middleware=[
            Middleware(Observer, metrics=HttpMetrics(registry)),
            Middleware(PageShell, site=site, pages=desk.pages),
        ],
        exception_handlers=_exception_handlers(way_in, FailurePages(desk)),
    )


def _for_operators(
    desk: Desk, door: Door, otp_client: OtpServiceClient, guard: Guard
) -> Iterator[BaseRoute]:
    yield from AuthorisePages(desk, door=door, otp_client=otp_client, guard=guard).routes()
    yield from PracticePages(desk, door=door).routes()
    yield from LearningPages(desk, door=door).routes()
    yield from HistoryPages(desk, door=door).routes()


def _for_those_who_look_after(
    desk: Desk, way_in: WayIn, settings_service: SettingsService
) -> Iterator[BaseRoute]:
    door = way_in.door
    yield from WatchPages(desk, door=door).routes()
    yield from PeoplePages(desk, door=door).routes()
    yield from InvitationPages(desk, door=door).routes()
    yield from ImportPages(desk, door=door).routes()
    yield from OrganisationPages(desk, door=door).routes()
    yield from settings_routes(desk, door=door, service=settings_service)
    yield from AuditPages(desk, door=door).routes()


def _exception_handlers(way_in: WayIn, failures: FailurePages) -> Mapping[Any, ExceptionHandler]:
    return {
        NotSignedInError: way_in.sign_in.refuse,
        ProofWantedError: way_in.proof.ask,
        NotAllowedError: failures.not_allowed,
        ForeignFormError: failures.foreign_form,
        MalformedFormError: failures.malformed_form,
        ShellError: failures.malformed_form,
        HTTPException: failures.http,
        OperationalError: failures.database,
        SettingsServiceUnavailableError: failures.settings_service,
    }
