"""The way to the OTP Service: HTTP over mutual TLS, nothing else."""

import ssl
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Final, Self

from immuni.api import OtpAuthorisation, encode
from immuni.api.headers import JSON_CONTENT_TYPE, REQUEST_ID
from immuni.portal.audit.events import Outcome
from immuni.portal.authorising.otp_connections import OtpConnections
from immuni.telemetry import logger
from immuni.web import MutualTls, RenewingContext

_PATH: Final = "/v1/otp"
_ATTEMPTS: Final = 2
_OUTCOMES: Final[Mapping[int, Outcome]] = {
    HTTPStatus.NO_CONTENT: Outcome.AUTHORISED,
    HTTPStatus.CONFLICT: Outcome.ALREADY_AUTHORISED,
    HTTPStatus.BAD_REQUEST: Outcome.REFUSED,
}

_log: Final = logger("portal")


class OtpServiceClient:
    """Asks the OTP Service to authorise codes."""

    def __init__(self, connections: OtpConnections) -> None:
        """Use connections that show a certificate which the service accepts."""
        self._connections = connections

    @classmethod
    def over_mutual_tls(cls, base_url: str, *, tls: MutualTls, timeout: timedelta) -> Self:
        """Make a client that shows a certificate; one that is renewed counts from then on.

        Args:
            base_url: ``https://host:port`` of the service.
            tls: The portal's certificate, and the only authorities that are trusted.
            timeout: How long to wait for one answer; a lost one is asked for once more.

        Raises:
            OSError: A file cannot be read.
            ssl.SSLError: A file is not what it should be.
        """
        context = RenewingContext(tls, ssl.Purpose.SERVER_AUTH)
        return cls(OtpConnections(base_url, tls=context, timeout=timeout))

    async def authorise(self, authorisation: OtpAuthorisation, *, request_id: str) -> Outcome:
        """Have a code authorised.

        Args:
            authorisation: The code and its day.
            request_id: 1 to 64 letters, digits and hyphens; the same id with the same contents
                asks again for an answer that was lost, and changes nothing.

        Returns:
            AUTHORISED, ALREADY_AUTHORISED, REFUSED (the service does not take it for a code) or
            UNAVAILABLE (nothing can be said; asking again later does no harm).
        """
        body = encode(authorisation)
        headers = {"Content-Type": JSON_CONTENT_TYPE, REQUEST_ID: request_id}
        for attempt in range(_ATTEMPTS):
            try:
                status = await self._connections.post(_PATH, body, headers, fresh=attempt > 0)
            except OSError as error:
                _log.warning("otp_service_unreachable", error=type(error).__name__)
                continue
            outcome = _OUTCOMES.get(status, Outcome.UNAVAILABLE)
            if outcome is Outcome.UNAVAILABLE:
                _log.warning("otp_service_unavailable", status=status)
            return outcome
        return Outcome.UNAVAILABLE

    async def close(self) -> None:
        """Close the connections."""
        await self._connections.close()
