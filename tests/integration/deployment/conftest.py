"""One running system for all tests that leave it as they found it."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.integration.deployment.existing_phone import index
from tests.running import RunningSystem, eventually, running_system

# What somebody exported for a system elsewhere must not reach what runs here.
OF_ANOTHER_SYSTEM: Final = {
    "IMMUNI_BASE_PORT": "1025",
    "IMMUNI_DATA_DIR": "/nowhere",
    "IMMUNI_OTP_KEYS": f"theirs:{'5e' * 32}",
    "IMMUNI_INGESTION_DATABASE_URL": "postgresql://immuni@database.invalid/immuni",
    "IMMUNI_OTP_DATABASE_URL": "postgresql://immuni@database.invalid/immuni",
    "IMMUNI_PORTAL_DATABASE_URL": "postgresql://immuni@database.invalid/immuni",
}

# Whoever waits for the authorisation of an analytics token waits for all of these.
SHORT_WAITS: Final = {
    "IMMUNI_MAX_READ_TIME": "100ms",
    "IMMUNI_DEVICE_CHECK_TIMEOUT": "3s",
    "IMMUNI_CHECK_TIME": "6100ms",
}


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    """Lend a system without phones; whoever breaks a part of it waits until that is mended."""
    folder = tmp_path_factory.mktemp("system")
    environment = OF_ANOTHER_SYSTEM | SHORT_WAITS
    with running_system(folder, "--without-phones", environment=environment) as running:
        # At its first start it makes up for the run that it missed: later nobody but a test
        # publishes, until the next one is due.
        eventually(lambda: index(running.told)[1] or None)
        yield running
