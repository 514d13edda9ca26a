"""Phones with their Apps, the air between them, their clock, and the servers they speak to."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from immuni.api import Platform, ProvinceCode
from immuni.app.analytics.ports import Vouchers
from immuni.app.build import Build, pinned_tls
from immuni.app.phone import Phone
from immuni.app.storage import AppStore
from immuni.ble import VirtualAir
from immuni.clock import ManualClock
from immuni.entropy import Entropy, SeededEntropy
from immuni.framework import (
    ExposureNotificationFramework,
    FileKeyStore,
    Store,
    live_until,
)
from immuni.keys import DiagnosisKey, TemporaryExposureKey
from tests.integration.app.servers import SETTINGS_KEY_ID, Servers, Signer, chunk_of
from tests.integration.app.serving import listening

START = datetime(2020, 6, 8, 0, 0, tzinfo=UTC)
CHIETI = ProvinceCode("CH")
FAR_METRES = 10_000.0


class World:
    """Phones are added far from each other; time passes with `live` and `meet` only."""

    def __init__(self, folder: Path, *, url: str, servers: Servers) -> None:
        self.folder = folder
        self.url = url
        self.analytics_url = url
        self.tls = pinned_tls(None)
        self.servers = servers
        self.signer = Signer()
        self.clock = ManualClock(servers.now)
        self.air = VirtualAir()
        self.store_type = AppStore
        self.phones: dict[str, Phone] = {}

    async def add(
        self,
        name: str,
        *,
        platform: Platform = Platform.ANDROID,
        vouchers: Vouchers | None = None,
        entropy: Entropy | None = None,
    ) -> Phone:
        """Make a phone fresh out of its box, or restart one that was closed."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        entropy = entropy or SeededEntropy(f"{name} {self.clock.now()}")
        framework = ExposureNotificationFramework(
            store=Store(folder / "framework.db", FileKeyStore(folder / "framework.key"), entropy),
            radio=await self.air.radio(name, self.clock),
            clock=self.clock,
            entropy=entropy,
            verification_keys=[self.signer.verification_key],
        )
        self.air.place(name, (len(self.phones) + 1) * FAR_METRES, 0)
        self.phones[name] = Phone(
            build=self.build(platform),
            framework=framework,
            store=self.store_type.open(
                folder / "app.db", FileKeyStore(folder / "app.key"), entropy=entropy
            ),
            clock=self.clock,
            entropy=entropy,
            vouchers=vouchers,
        )
        return self.phones[name]

    async def add_ready(
        self,
        name: str,
        *,
        platform: Platform = Platform.ANDROID,
        vouchers: Vouchers | None = None,
        entropy: Entropy | None = None,
    ) -> Phone:
        """Make a phone whose user has completed the onboarding."""
        phone = await self.add(name, platform=platform, vouchers=vouchers, entropy=entropy)
        await phone.set_up(CHIETI)
        return phone

    def build(self, platform: Platform = Platform.ANDROID) -> Build:
        """Return a build that trusts these servers."""
        return Build(
            platform=platform,
            number=10,
            get_url=self.url,
            upload_url=self.url,
            analytics_url=self.analytics_url,
            settings_keys={SETTINGS_KEY_ID: self.servers.settings_key.public_key()},
            tls=self.tls,
        )

    async def remove(self, name: str) -> None:
        """Close a phone, as when its process ends."""
        await self.phones.pop(name).close()

    async def live(self, duration: timedelta) -> None:
        """Let time pass for all phones and for the servers."""
        frameworks = [phone.framework for phone in self.phones.values()]
        await live_until(self.clock.now() + duration, frameworks, self.clock)
        self.servers.now = self.clock.now()

    def pass_over(self, duration: timedelta) -> None:
        """Let time pass during which the phones lie in a drawer."""
        self.clock.advance(duration)
        self.servers.now = self.clock.now()

    async def meet(self, duration: timedelta) -> None:
        """Let all phones stand a metre apart for a while, then go apart."""
        for place, name in enumerate(self.phones):
            self.air.place(name, float(place), 0)
        await self.live(duration)
        for place, name in enumerate(self.phones, start=1):
            self.air.place(name, place * FAR_METRES, 0)

    def publish(self, number: int, keys: Sequence[TemporaryExposureKey]) -> None:
        """Publish `keys` as the chunk `number`."""
        published = [DiagnosisKey(key) for key in keys]
        chunk = chunk_of(published, signer=self.signer, end=self.clock.now())
        self.servers.chunks[number] = chunk

    async def close(self) -> None:
        for name in tuple(self.phones):
            await self.remove(name)


async def uploaded_keys(phone: Phone) -> list[TemporaryExposureKey]:
    """Return the keys that a phone would upload."""

    async def agreed() -> bool:
        return True

    return await phone.framework.tek_history(agreed)


async def live_two_days(folder: Path) -> World:
    """Let alice and bruno meet on the day of `START`, and live until two days later; close both."""
    servers = Servers(START)
    async with listening(lambda _port: servers.app()) as port:
        world = World(folder, url=f"http://127.0.0.1:{port}", servers=servers)
        for name in ("alice", "bruno"):
            await world.add_ready(name)
        await world.live(timedelta(hours=10))
        await world.meet(timedelta(minutes=30))
        await world.live(timedelta(days=2))
        await world.close()
    return world
