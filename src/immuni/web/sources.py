"""Where a request came from: the peer, or what a trusted proxy in front says of it.

Only limits need to know. An address is never logged, stored or repeated.
"""

import re
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, Self

from starlette.types import ASGIApp, Receive, Scope, Send

from immuni.settings import Kind, setting
from immuni.web.messages import Headers

_FORWARDED_FOR: Final = "X-Forwarded-For"
_MAX_HOPS: Final = 8
"""How many proxies may stand one behind the other; bounds the work on a header of any length."""
_SUBSCRIBER_BYTES: Final = 8
_WITH_PORT: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?|([0-9.]+):[0-9]+")


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The networks of the proxies in front whose word on a request's source counts.

    Raises:
        ValueError: One of them holds every address, so that anybody could name any source.
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def __post_init__(self) -> None:
        """Refuse to trust everybody."""
        if not all(network.prefixlen for network in self.networks):
            raise ValueError("trusted proxies must not be all addresses")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read networks and addresses, separated by commas; an empty text means no proxy.

        Raises:
            ValueError: One is neither, has bits behind its prefix, or holds every address.
        """
        parts = [part.strip() for part in text.split(",")]
        return cls(tuple(map(ip_network, parts)) if text.strip() else ())

    def __str__(self) -> str:
        """Write them as `parse` reads them."""
        return ", ".join(map(str, self.networks))

    def source_behind(self, peer: str, forwarded_for: str) -> str:
        """Return the address nearest to us that is not a trusted proxy's.

        Each proxy adds the address it was reached from at the right end, so the list is read from
        there and no further than proxies are trusted: what stands left of that could be anybody's
        invention. A trusted proxy that names no address is the source itself.

        Args:
            peer: Address of the connection's other end.
            forwarded_for: The lines of ``X-Forwarded-For``, joined by commas.
        """
        nearest = _address(peer)
        if nearest is None:
            return peer
        for hop in reversed(forwarded_for.rsplit(",", _MAX_HOPS)):
            told = _address(hop) if self._hold(nearest) else None
            if told is None:
                break
            nearest = told
        return str(nearest)

    def _hold(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self.networks)


NO_PROXIES: Final = TrustedProxies()
"""Every peer is the source of its requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxySettings:
    """Which proxies in front of the servers are believed."""

    trusted_proxies: TrustedProxies = setting(
        Kind(
            TrustedProxies.parse,
            "networks and addresses, separated by commas, like 10.1.2.0/28, 2001:db8::7; "
            "never all addresses",
        ),
        default=NO_PROXIES,
        meaning="The proxies whose X-Forwarded-For tells the source of a request, for limits.",
    )


class Forwarded:
    """Makes the source that trusted proxies tell the client of each request."""

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        """Let `app` see past `proxies`."""
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, as one from its source."""
        if scope["type"] == "http" and self._proxies.networks:
            forwarded_for = Headers(scope["headers"]).joined(_FORWARDED_FOR)
            source = self._proxies.source_behind(source_of(scope), forwarded_for)
            scope = {**scope, "client": (source, 0)}  # The port of the far end is not known.
        await self._app(scope, receive, send)


def source_of(scope: Scope) -> str:
    """Return the address that a request came from, empty where the transport has none."""
    client = scope.get("client")
    return client[0] if client else ""


def subscriber_of(address: str) -> str:
    """Return what stands for one subscriber in limits; the same for all unknown.

    An IPv4 address is the least that can be told apart. Of IPv6, one subscriber has the lower half
    of the address to himself, which must not buy him guesses: the network of 64 bits counts.
    """
    parsed = _address(address)
    if parsed is None:
        return ""
    if isinstance(parsed, IPv6Address):
        return parsed.packed[:_SUBSCRIBER_BYTES].hex()
    return str(parsed)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, with or without a port; None where it is none."""
    bare = text.strip(" \t")
    if match := _WITH_PORT.fullmatch(bare):
        bare = match[1] or match[2]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped  # So a socket for both families shows an IPv4 peer.
    return address
