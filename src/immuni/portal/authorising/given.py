"""The day that was authorised with a code, shown once more so that a slip is noticed.

The browser keeps it for as long as the page tells of the code: the portal stores no day.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

from starlette.requests import Request
from starlette.responses import Response

from immuni.api import OtpAuthorisation
from immuni.portal.authorising.reading import InvalidFieldError
from immuni.portal.authorising.rules import parse_day
from immuni.portal.site import Site

RESULT_SHOWN: Final = timedelta(minutes=10)
"""For how long after it the page tells of an authorised code."""

_COOKIE: Final = "given-day"


@dataclass(frozen=True, slots=True)
class GivenDay:
    """What an operator chose.

    Attributes:
        day: The first day of symptoms, or that of the test.
        tested: Whether it is that of the test.
    """

    day: date
    tested: bool

    @classmethod
    def of(cls, authorisation: OtpAuthorisation) -> Self | None:
        """Return the day of an authorisation."""
        day = authorisation.symptoms_started_on or authorisation.tested_on
        return cls(day, tested=authorisation.symptoms_started_on is None) if day else None

    @classmethod
    def kept_by(
        cls, request: Request, site: Site, *, today: date, max_age: timedelta
    ) -> Self | None:
        """Return what `keep` left in a browser; None where that is nothing one may choose."""
        kind, _, text = request.cookies.get(site.cookie(_COOKIE), "").partition(".")
        try:
            day = parse_day(text, today=today, max_age=max_age)
        except InvalidFieldError:
            return None
        return cls(day, tested=kind == "tested") if kind in ("onset", "tested") else None

    def keep(self, answer: Response, site: Site) -> None:
        """Have the browser keep it for a few minutes."""
        answer.set_cookie(
            site.cookie(_COOKIE),
            f"{'tested' if self.tested else 'onset'}.{self.day.isoformat()}",
            max_age=int(RESULT_SHOWN.total_seconds()),
            path="/",
            secure=site.secure,
            httponly=True,
            samesite="strict",
        )
