"""What the health information system may authorise; pure decisions."""

from dataclasses import dataclass, field
from datetime import date, datetime

from immuni.api.authorisation import OtpAuthorisation
from immuni.api.dates import is_recent
from immuni.api.limits import MAX_DATE_AGE
from immuni.backend.errors import InvalidRequestError
from immuni.backend.infectiousness import Diagnosis
from immuni.otp import InvalidOtpError, OtpHash, otp_hash, parse_otp


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A code that an operator vouches for.

    Attributes:
        otp: The code's hash.
        diagnosis: What the operator entered beside it.
        request_id: Tells a repeated request from a second one; None where the caller has none.
    """

    otp: OtpHash = field(repr=False)
    diagnosis: Diagnosis
    request_id: str | None


def vet(body: OtpAuthorisation, request_id: str | None, *, now: datetime) -> Authorisation:
    """Return what `body` authorises.

    Where both dates are given the onset counts, and the test's is not kept.

    Raises:
        InvalidRequestError: The check digit is wrong, or a date is not of the last half year.
    """
    try:
        otp = parse_otp(body.otp)
    except InvalidOtpError:
        raise InvalidRequestError("otp check digit wrong") from None
    _vet_day("symptoms started on", body.symptoms_started_on, now)
    _vet_day("tested on", body.tested_on, now)
    tested_on = body.tested_on if body.symptoms_started_on is None else None
    return Authorisation(otp_hash(otp), Diagnosis(body.symptoms_started_on, tested_on), request_id)


def _vet_day(name: str, day: date | None, now: datetime) -> None:
    if day is not None and not is_recent(day, now=now, window=MAX_DATE_AGE):
        raise InvalidRequestError(f"{name} out of range")
