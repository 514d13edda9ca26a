"""The OTP Service's endpoint."""

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from immuni.api import MalformedRequestError, examples
from immuni.api.authorisation import OtpAuthorisation
from immuni.api.headers import REQUEST_ID, parse_request_id
from immuni.backend.connections import require_answer
from immuni.backend.counting import Counted, DailyCounters
from immuni.backend.errors import InvalidRequestError, OtpAlreadyAuthorisedError, UnavailableError
from immuni.backend.otp.rules import vet
from immuni.backend.otp.settings import OtpSettings
from immuni.backend.otp.store import OtpStore
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.shaping import Gate
from immuni.clock import Clock
from immuni.database import Pool
from immuni.web import Call, Endpoint, Method, Parameter, Place, Reply, Service

_REQUEST_ID: Parameter = Parameter(
    name=REQUEST_ID,
    place=Place.HEADER,
    description="Any name of this request; the same name and body again are answered alike.",
    pattern=r"[A-Za-z0-9-]{1,64}",
    required=False,
    example=examples.REQUEST_ID,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpHandlers:
    """What the endpoint does."""

    store: OtpStore
    settings: OtpSettings
    counters: DailyCounters
    clock: Clock
    gate: Gate

    async def authorise(self, call: Call[OtpAuthorisation]) -> Reply:
        """Let a code live from now on.

        Raises:
            MalformedRequestError: The request id is malformed.
            InvalidRequestError: The check digit is wrong, or a date is out of range.
            OtpAlreadyAuthorisedError: The code is alive, from another request.
            RetryLaterError: The gate is closed; nothing was looked at.
        """
        self.gate(call.source)
        now = self.clock.now()
        authorisation = vet(call.body, parse_request_id(call.headers.one(REQUEST_ID)), now=now)
        lifetime = self.settings.otp_lifetime
        if await self.store.authorise(authorisation, now=now, lifetime=lifetime):
            self.counters.count(Counted.AUTHORISED, now)
        return Reply(HTTPStatus.NO_CONTENT)


def otp_service(
    *,
    pool: Pool,
    keys: OtpKeys,
    settings: OtpSettings,
    counters: DailyCounters,
    clock: Clock,
    gate: Gate,
) -> Service:
    """Build the service on a pool of its own role's connections.

    It must be served over mutual TLS only: it asks nobody who they are. `gate` closes it when the
    service has ended.
    """
    handlers = OtpHandlers(
        store=OtpStore(pool, keys), settings=settings, counters=counters, clock=clock, gate=gate
    )
    endpoint = Endpoint(
        method=Method.POST,
        path="/v1/otp",
        summary="Authorise an OTP",
        handler=handlers.authorise,
        request=OtpAuthorisation,
        example=examples.OTP_AUTHORISATION,
        replies={HTTPStatus.NO_CONTENT: None},
        parameters=(_REQUEST_ID,),
        errors=(
            MalformedRequestError,
            InvalidRequestError,
            OtpAlreadyAuthorisedError,
            UnavailableError,
        ),
    )
    return Service(
        name="otp",
        title="OTP Service",
        endpoints=(endpoint,),
        is_ready=partial(require_answer, pool),
    )
