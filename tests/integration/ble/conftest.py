from collections.abc import AsyncIterator

import pytest

from tests.integration.ble.adapters import Adapters


@pytest.fixture
async def adapters() -> AsyncIterator[Adapters]:
    adapters = Adapters()
    yield adapters
    adapters.close()
