"""The stand-in for Apple's DeviceCheck on a real port, and a client that it knows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from joserfc.jwk import ECKey

from immuni.backend.analytics.devicecheck.client import DeviceCheckClient, open_device_check
from immuni.backend.analytics.devicecheck.provider import ProviderToken
from immuni.clock import Clock
from immuni.entropy import SystemEntropy
from immuni.testing.apple import AppleDeviceCheck, Developer
from tests.contract.serving import serving

KEY_ID: Final = "ABC123DEFG"
TEAM_ID: Final = "DEF123GHIJ"


@dataclass(frozen=True)
class Apple:
    """A server that answers.

    Attributes:
        server: Its bits, and its faults.
        key: The private key that it knows the other half of.
        http: Speaks to it.
    """

    server: AppleDeviceCheck
    key: ECKey
    http: httpx.AsyncClient

    @property
    def url(self) -> str:
        """Where it answers."""
        return str(self.http.base_url)

    def write_key(self, folder: Path) -> Path:
        """Write the private key as Apple hands it out."""
        file = folder / "AuthKey.p8"
        file.touch(mode=0o600)
        file.write_bytes(self.key.as_pem(private=True))
        return file

    @asynccontextmanager
    async def client(self, clock: Clock, *, calls: int = 32) -> AsyncIterator[DeviceCheckClient]:
        """Open our client to it."""
        provider = ProviderToken(self.key, key_id=KEY_ID, team_id=TEAM_ID)
        async with open_device_check(
            self.url, provider, calls=calls, clock=clock, entropy=SystemEntropy()
        ) as client:
            yield client


@asynccontextmanager
async def answering_apple(clock: Clock) -> AsyncIterator[Apple]:
    """Answer for as long as the context lasts."""
    key = ECKey.generate_key("P-256")
    public = ECKey.import_key(key.as_pem(private=False))
    server = AppleDeviceCheck(Developer(TEAM_ID, {KEY_ID: public}), clock)
    async with serving(server.app) as http:
        yield Apple(server, key, http)
