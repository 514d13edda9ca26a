"""The way to the internal services: HTTP over mutual TLS, nothing else."""

import ssl
from datetime import timedelta
from typing import Final

import httpx

from immuni.web import MutualTls, RenewingContext

_MAX_CONNECTIONS: Final = 20


def over_mutual_tls(base_url: str, *, tls: MutualTls, timeout: timedelta) -> httpx.AsyncClient:
    """Make a client that shows a certificate; one that is renewed counts from then on.

    Args:
        base_url: ``https://host:port`` of the service.
        tls: The portal's certificate, and the only authorities that are trusted.
        timeout: How long to wait for one answer.

    Raises:
        OSError: A file cannot be read.
        ssl.SSLError: A file is not what it should be.
    """
    return httpx.AsyncClient(
        base_url=base_url,
        verify=RenewingContext(tls, ssl.Purpose.SERVER_AUTH),
        timeout=timeout.total_seconds(),
        limits=httpx.Limits(max_connections=_MAX_CONNECTIONS),
        # A proxy named in the environment would see the codes of a whole country.
        trust_env=False,
    )
