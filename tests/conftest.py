"""What every test may use."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio: the database driver and the Bluetooth stack need it."""
    return "asyncio"
