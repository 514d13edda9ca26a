"""Virtual phones on virtual air, for every test of the framework."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from immuni.ble import PduOnAir, VirtualAir
from immuni.clock import ManualClock
from immuni.crypto import RPI, derive_rpik, generate_rpis
from immuni.entropy import SeededEntropy
from immuni.export import VerificationKey
from immuni.framework import (
    ExposureNotificationFramework,
    FileKeyStore,
    Store,
    live_until,
)
from immuni.keys import TemporaryExposureKey

NOON = datetime(2020, 6, 10, 12, tzinfo=UTC)


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def open_store(folder: Path, *, secure_delete: bool = True) -> Store:
    folder.mkdir(exist_ok=True)
    key_store = FileKeyStore(folder / "key")
    entropy = SeededEntropy(str(folder))
    return Store(folder / "store.db", key_store, entropy, secure_delete=secure_delete)


def identifiers(tek: TemporaryExposureKey) -> list[RPI]:
    return generate_rpis(derive_rpik(tek), tek.rolling_start_number, tek.rolling_period)


class World:
    """Some phones, their air and their clock."""

    def __init__(self, folder: Path, *, start: datetime = NOON) -> None:
        self.folder = folder
        self.clock = ManualClock(start)
        self.air = VirtualAir()
        self.pdus: list[PduOnAir] = []
        self.air.observe(self.pdus.append)
        self.phones: dict[str, ExposureNotificationFramework] = {}
        self.stores: dict[str, Store] = {}

    async def add(
        self, name: str, *, at_metres: float = 0.0, keys: Sequence[VerificationKey] = ()
    ) -> ExposureNotificationFramework:
        """Make a phone, or restart one that was closed; its switches are as it left them."""
        radio = await self.air.radio(name, self.clock)
        self.air.place(name, at_metres, 0)
        self.stores[name] = open_store(self.folder / name)
        self.phones[name] = ExposureNotificationFramework(
            store=self.stores[name],
            radio=radio,
            clock=self.clock,
            entropy=SeededEntropy(f"{name} {self.clock.now()}"),
            verification_keys=keys,
        )
        return self.phones[name]

    async def add_active(
        self, name: str, *, at_metres: float = 0.0, keys: Sequence[VerificationKey] = ()
    ) -> ExposureNotificationFramework:
        """Make a phone whose user agreed to everything."""
        phone = await self.add(name, at_metres=at_metres, keys=keys)
        await phone.authorise()
        await phone.start()
        return phone

    async def remove(self, name: str) -> None:
        """Close a phone, as when its process ends."""
        await self.phones.pop(name).close()
        del self.stores[name]

    async def live(self, duration: timedelta) -> None:
        """Let time pass for all phones."""
        await live_until(self.clock.now() + duration, tuple(self.phones.values()), self.clock)

    async def close(self) -> None:
        for name in tuple(self.phones):
            await self.remove(name)
