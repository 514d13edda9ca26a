"""The Exposure Ingestion Service's endpoints."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from immuni.api import MalformedRequestError, examples
from immuni.api.headers import (
    AUTHORIZATION,
    CLIENT_CLOCK,
    DUMMY_DATA,
    parse_bearer,
    parse_client_clock,
    parse_dummy_flag,
)
from immuni.api.ingestion import CheckOtp, Upload
from immuni.api.limits import OTP_TOKEN_DIGITS
from immuni.api.provinces import Territory
from immuni.backend.connections import require_answer
from immuni.backend.counting import DailyCounters
from immuni.backend.errors import (
    InvalidRequestError,
    OtpUnknownError,
    TooManyRequestsError,
    UnavailableError,
)
from immuni.backend.infectiousness import Infectiousness
from immuni.backend.ingestion.accepting import Acceptance, VettedUpload
from immuni.backend.ingestion.limiter import WrongCodeLimiter, WrongCodeMetrics
from immuni.backend.ingestion.rules import vet
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.backend.ingestion.store import Grant, IngestionStore
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.outage import Outage
from immuni.backend.sealing import SealingKey
from immuni.backend.shaping import PADDED, Shaping
from immuni.clock import Clock
from immuni.database import Pool
from immuni.database.grouping import PATIENCE, Grouped
from immuni.entropy import Entropy
from immuni.otp import OtpHash, parse_otp_hash
from immuni.web import Call, Endpoint, Headers, Method, Parameter, Place, Reply, Service

_BEARER: Final = Parameter(
    name=AUTHORIZATION,
    place=Place.HEADER,
    description="Bearer and SHA-256 of the OTP in lower-case hexadecimal digits.",
    pattern=r"Bearer [0-9a-f]{64}",
    example=examples.OTP_BEARER,
)
_DUMMY: Final = Parameter(
    name=DUMMY_DATA,
    place=Place.HEADER,
    description="1 for a dummy, which is answered before anything in it is looked at.",
    options=("0", "1"),
)
_CLOCK: Final = Parameter(
    name=CLIENT_CLOCK,
    place=Place.HEADER,
    description="What time the phone believes it is, in seconds since the Unix epoch.",
    pattern=r"[0-9]{1,11}",
    example=examples.CLIENT_CLOCK,
)
_ERRORS: Final = (
    MalformedRequestError,
    OtpUnknownError,
    TooManyRequestsError,
    UnavailableError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestionHandlers:
    """What the endpoints do.

    Attributes:
        is_authorised: Tells whether a code is.
        accept: Accepts an upload, together with what else waits.
        settings: How far a phone's clock may be off.
        territory: Where people live.
        limiter: Counts wrong codes.
        outage: Remembers that the database is down.
        clock: The server's clock.
    """

    is_authorised: Grouped[OtpHash, bool]
    accept: Grouped[VettedUpload, Grant]
    settings: IngestionSettings
    territory: Territory
    limiter: WrongCodeLimiter
    outage: Outage
    clock: Clock

    async def check_otp(self, call: Call[CheckOtp]) -> Reply:
        """Tell whether a code is authorised; it is not consumed.

        Raises:
            MalformedRequestError: A header is missing or malformed.
            OtpUnknownError: The code is not authorised, expired or used.
        """
        if not parse_dummy_flag(call.headers.one(DUMMY_DATA)):
            otp = _otp_of(call.headers)
            with self._noticing(call.source):
                if not await self.is_authorised(otp):
                    raise OtpUnknownError("the code is not authorised")
        return Reply(HTTPStatus.NO_CONTENT)

    async def accept_upload(self, call: Call[Upload]) -> Reply:
        """Spend the code, keep the keys and enclose the Epidemiological Info, or do none of it.

        Raises:
            MalformedRequestError: A header is missing or malformed.
            InvalidRequestError: A rule of `vet` is broken; nothing was spent or kept.
            OtpUnknownError: The code grants nothing; nothing was kept.
        """
        if not parse_dummy_flag(call.headers.one(DUMMY_DATA)):
            otp = _otp_of(call.headers)
            vet(
                call.body,
                now=self.clock.now(),
                client_clock=parse_client_clock(call.headers.one(CLIENT_CLOCK)),
                max_clock_skew=self.settings.max_clock_skew,
                territory=self.territory,
            )
            with self._noticing(call.source):
                await self.accept(VettedUpload(otp, call.body))
        return Reply(HTTPStatus.NO_CONTENT)

    @contextmanager
    def _noticing(self, source: str) -> Iterator[None]:
        """Remember an outage, and count a wrong code, that shows inside the block."""
        try:
            yield
        except UnavailableError as error:
            self.outage.begin(error)
            raise
        except OtpUnknownError:
            self.limiter.count_wrong(source)
            raise


def ingestion_service(  # noqa: PLR0913 - each is a part that the wiring holds
    *,
    pool: Pool,
    keys: OtpKeys,
    settings: IngestionSettings,
    infectiousness: Infectiousness,
    territory: Territory,
    sealing_key: SealingKey,
    shaping: Shaping,
    counters: DailyCounters,
    metrics: WrongCodeMetrics,
    clock: Clock,
    entropy: Entropy,
) -> Service:
    """Build the service.

    Args:
        pool: Connections of its own role.
        keys: Find codes by their hash.
        settings: How codes are checked and uploads accepted.
        infectiousness: Says of which days keys are kept.
        territory: Where people live.
        sealing_key: Seals Epidemiological Info for analytics.
        shaping: Makes all answers alike; the service's own gates come behind its gates.
        counters: Count codes that were checked, and how soon they were used.
        metrics: Counts wrong codes.
        clock: The server's clock.
        entropy: Makes the limiter's keys.
    """
    acceptance = Acceptance(
        store=IngestionStore(pool, keys),
        checked_lifetime=settings.otp_checked_lifetime,
        infectiousness=infectiousness,
        sealing_key=sealing_key,
        counters=counters,
        clock=clock,
    )
    handlers = IngestionHandlers(
        is_authorised=Grouped(acceptance.check, patience=PATIENCE),
        accept=Grouped(acceptance.accept, patience=PATIENCE),
        settings=settings,
        territory=territory,
        limiter=WrongCodeLimiter(
            rate=settings.otp_check_rate, metrics=metrics, clock=clock, entropy=entropy
        ),
        outage=Outage(clock),
        clock=clock,
    )
    return Service(
        name="ingestion",
        title="Exposure Ingestion Service",
        endpoints=_endpoints(handlers, shaping),
        is_ready=partial(require_answer, pool),
    )


def _endpoints(handlers: IngestionHandlers, shaping: Shaping) -> tuple[Endpoint[Any], ...]:
    gates = (*shaping.gates, handlers.outage.check, handlers.limiter.check)
    layer = replace(shaping, gates=gates).layer()
    check = Endpoint(
        method=Method.POST,
        path="/v1/ingestion/check-otp",
        summary="Tell whether an OTP is authorised",
        handler=handlers.check_otp,
        request=CheckOtp,
        example=examples.CHECK_OTP,
        replies={HTTPStatus.NO_CONTENT: None},
        parameters=(_BEARER, _DUMMY),
        errors=_ERRORS,
        layer=layer,
        says=(PADDED,),
    )
    upload = Endpoint(
        method=Method.POST,
        path="/v1/ingestion/upload",
        summary="Upload TEKs and Epidemiological Info, and use the OTP up",
        handler=handlers.accept_upload,
        request=Upload,
        example=examples.UPLOAD,
        replies={HTTPStatus.NO_CONTENT: None},
        parameters=(_BEARER, _DUMMY, _CLOCK),
        errors=(*_ERRORS, InvalidRequestError),
        layer=layer,
        says=(PADDED,),
    )
    return check, upload


def _otp_of(headers: Headers) -> OtpHash:
    return parse_otp_hash(parse_bearer(headers.one(AUTHORIZATION), digits=OTP_TOKEN_DIGITS))
