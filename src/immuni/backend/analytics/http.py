"""The Analytics Service over HTTP.

Every well-formed report is answered with 204, kept or not, so that nobody learns which reports are
believed. Answers to reports, dummies included, have one size and one distribution of times.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any

from immuni.api import (
    AnalyticsToken,
    AppleOperationalInfo,
    GoogleOperationalInfo,
    Platform,
    examples,
)
from immuni.api.headers import AUTHORIZATION, DUMMY_DATA, parse_bearer, parse_dummy_flag
from immuni.api.limits import ANALYTICS_TOKEN_DIGITS
from immuni.api.provinces import Territory
from immuni.backend.analytics.accepting import Acceptance, Report
from immuni.backend.analytics.devicecheck.tokens import authorise_none
from immuni.backend.analytics.rules import Attestation, OperationalRecord, record_of
from immuni.backend.analytics.store import TokenClaim
from immuni.backend.connections import require_answer
from immuni.backend.errors import InvalidRequestError, UnavailableError
from immuni.backend.outage import Outage
from immuni.backend.shaping import PADDED, Gate, Shaping
from immuni.clock import Clock
from immuni.database import Pool
from immuni.database.grouping import PATIENCE, Grouped, GroupWork
from immuni.web import Call, Endpoint, Method, Parameter, Place, Reply, Service

_DUMMY = Parameter(
    name=DUMMY_DATA,
    place=Place.HEADER,
    description="Whether the request means nothing; a dummy is answered before it is looked at.",
    options=("0", "1"),
)
_BEARER = Parameter(
    name=AUTHORIZATION,
    place=Place.HEADER,
    description="The analytics token.",
    example=examples.ANALYTICS_BEARER,
    pattern=rf"[Bb]earer [0-9a-f]{{{ANALYTICS_TOKEN_DIGITS}}}",
)
_NO_CONTENT = Reply(HTTPStatus.NO_CONTENT)


def analytics_service(
    *,
    pool: Pool,
    clock: Clock,
    territory: Territory,
    attestation: Attestation,
    shaping: Shaping,
    tokens: GroupWork[AnalyticsToken, bool] = authorise_none,
) -> Service:
    """Build the service.

    Args:
        pool: The analytics database, with the service's role.
        clock: Tells the day of receipt.
        territory: Provinces that exist.
        attestation: Tells genuine reports of Android from pollution.
        shaping: Gives all answers to reports one size and one distribution of times.
        tokens: Tells which tokens are authorised, and begins to authorise the others.
    """
    reports = _Reports(Acceptance(pool, clock), territory, attestation, clock)
    shaping = replace(shaping, gates=(*shaping.gates, *reports.gates))
    return Service(
        name="analytics",
        title="Analytics Service",
        endpoints=_endpoints(reports, Grouped(tokens, patience=PATIENCE), shaping),
        is_ready=partial(require_answer, pool),
    )


def _endpoints(
    reports: "_Reports", tokens: Grouped[AnalyticsToken, bool], shaping: Shaping
) -> tuple[Endpoint[Any], ...]:
    token = Endpoint(
        method=Method.POST,
        path="/v1/analytics/apple/token",
        summary="Ask for the authorisation of an analytics token",
        handler=partial(_token, tokens=tokens, gates=shaping.gates),
        request=AnalyticsToken,
        example=examples.ANALYTICS_TOKEN,
        replies={HTTPStatus.CREATED: None, HTTPStatus.ACCEPTED: None},
    )
    apple = Endpoint(
        method=Method.POST,
        path="/v1/analytics/apple/operational-info",
        summary="Send Operational Info from iOS",
        handler=reports.apple,
        request=AppleOperationalInfo,
        example=examples.APPLE_INFO,
        replies={HTTPStatus.NO_CONTENT: None},
        parameters=(_BEARER, _DUMMY),
        errors=(InvalidRequestError,),
        layer=shaping.layer(),
        says=(PADDED,),
    )
    google = Endpoint(
        method=Method.POST,
        path="/v1/analytics/google/operational-info",
        summary="Send Operational Info from Android",
        handler=reports.google,
        request=GoogleOperationalInfo,
        example=examples.GOOGLE_INFO,
        replies={HTTPStatus.NO_CONTENT: None},
        parameters=(_DUMMY,),
        errors=(InvalidRequestError,),
        layer=shaping.layer(),
        says=(PADDED,),
    )
    return token, apple, google


async def _token(
    call: Call[AnalyticsToken], *, tokens: Grouped[AnalyticsToken, bool], gates: Sequence[Gate]
) -> Reply:
    """Tell whether a token is authorised: one that never will be is answered like one not yet."""
    for gate in gates:
        gate(call.source)
    return Reply(HTTPStatus.CREATED if await tokens(call.body) else HTTPStatus.ACCEPTED)


class _Reports:
    """Takes Operational Info, and keeps what something vouches for."""

    def __init__(
        self, acceptance: Acceptance, territory: Territory, attestation: Attestation, clock: Clock
    ) -> None:
        self._accept = Grouped(acceptance.accept, patience=PATIENCE)
        self._territory = territory
        self._attestation = attestation
        self._outage = Outage(clock)
        self._clock = clock

    @property
    def gates(self) -> tuple[Gate, ...]:
        """What dummies are asked too."""
        return (self._outage.check,)

    async def apple(self, call: Call[AppleOperationalInfo]) -> Reply:
        """Take a report of an iOS phone."""
        if not parse_dummy_flag(call.headers.one(DUMMY_DATA)):
            token = parse_bearer(call.headers.one(AUTHORIZATION), digits=ANALYTICS_TOKEN_DIGITS)
            record = self._record(call.body, Platform.IOS)
            claim = TokenClaim(token, with_exposure=record.exposure_notification)
            await self._keep(Report(record, claim))
        return _NO_CONTENT

    async def google(self, call: Call[GoogleOperationalInfo]) -> Reply:
        """Take a report of an Android phone."""
        if not parse_dummy_flag(call.headers.one(DUMMY_DATA)):
            record = self._record(call.body, Platform.ANDROID)
            if self._attestation.vouches_for(call.body, now=self._clock.now()):
                await self._keep(Report(record, call.body.salt))
        return _NO_CONTENT

    def _record(self, info: AppleOperationalInfo, platform: Platform) -> OperationalRecord:
        return record_of(info, platform=platform, territory=self._territory, now=self._clock.now())

    async def _keep(self, report: Report) -> None:
        try:
            await self._accept(report)
        except UnavailableError as error:
            self._outage.begin(error)
            raise
