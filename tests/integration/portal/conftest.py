from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from tests.chromium import chromium
from tests.integration.portal.region import Region, living_region
from tests.integration.portal.world import World, living_world


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
async def world(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[World]:
    async with living_world(portal_database, services_database, certificates) as world:
        yield world


@pytest.fixture
async def region(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[Region]:
    async with living_region(portal_database, services_database, certificates) as region:
        yield region
