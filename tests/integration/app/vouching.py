"""What vouches for the phones of the tests, and what an analytics host was sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from immuni.api import DeviceToken, Platform
from immuni.app.analytics.ports import NotVouchedError, Vouchers
from immuni.app.phone import Phone
from immuni.entropy import SeededEntropy
from tests.integration.app.tls import Wire
from tests.integration.app.world import World

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


class Patient(SeededEntropy):
    """Waits so long for whatever waits exponentially that no test sees it."""

    def exponential(self, mean: float) -> float:
        """Return a thousand means."""
        return 1000 * mean


@dataclass
class ReadyAttestor:
    """Attests whatever it is asked for, or nothing.

    Attributes:
        nonces: What it was asked for.
        is_away: Whether it attests nothing.
    """

    nonces: list[bytes] = field(default_factory=list)
    is_away: bool = False

    async def attest(self, nonce: bytes) -> str:
        """Return letters."""
        self.nonces.append(nonce)
        if self.is_away:
            raise NotVouchedError("nobody attests")
        return "a" * 2000


@dataclass
class ReadyDeviceCheck:
    """Gives tokens.

    Attributes:
        given: How many there were.
    """

    given: int = 0

    async def device_token(self) -> DeviceToken:
        """Return one."""
        self.given += 1
        return DeviceToken(self.given.to_bytes(500))


async def without_dummies(world: World, platform: Platform, vouchers: Vouchers) -> Phone:
    """Return a phone that is ready, and will send no dummies."""
    return await world.add_ready(
        "alice", platform=platform, vouchers=vouchers, entropy=Patient("alice")
    )


def requests(wire: Wire) -> Sequence[tuple[str, dict[str, str]]]:
    """Return path and headers of each request that came over a wire without TLS."""
    return list(_requests(wire))


def _requests(wire: Wire) -> Iterator[tuple[str, dict[str, str]]]:
    for connection in wire.connections:
        first, *lines = bytes(connection).partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
        yield first.split()[1], dict(line.split(": ", 1) for line in lines)
