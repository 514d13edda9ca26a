"""Faults that an App of this kind has had in the field, which need servers to show."""

from datetime import timedelta

import pytest

from immuni.api import Platform
from immuni.app.lockout import FailedChecks
from immuni.app.upload_errors import CodeNotAuthorisedError
from tests.integration.app.browser import browsing
from tests.integration.app.test_pages import PATHS
from tests.integration.app.tls import answering, observed
from tests.integration.app.vouching import Patient
from tests.integration.app.world import World

pytestmark = pytest.mark.anyio

LINKED = frozenset({"/privacy", "/terms"})
"""To open these is to ask for them: the one exception."""
LOCK = timedelta(minutes=1)


async def test_counter_not_cleared(world: World) -> None:
    """A code that was right after a wrong one left the count, and the next lock was longer."""
    phone = await world.add_ready("alice")
    await phone.open_upload()
    with pytest.raises(CodeNotAuthorisedError):
        await phone.check_code()
    assert phone.record.failed_checks.count == 1
    world.pass_over(LOCK)
    world.servers.authorise(await phone.open_upload())

    await phone.check_code()

    assert phone.record.failed_checks == FailedChecks()


@pytest.mark.parametrize("platform", Platform)
async def test_foreground_traffic(world: World, platform: Platform) -> None:
    """Opening the App fetched settings and chunks, so that whoever saw the line knew of it."""
    async with (
        answering(b"HTTP/1.1 204 No Content\r\n\r\n") as port,
        observed(port) as (seen, wire),
    ):
        world.url = f"http://127.0.0.1:{seen}"
        phone = await world.add_ready("alice", platform=platform, entropy=Patient("alice"))
        async with browsing(phone) as browser:
            for page in PATHS:
                if page not in LINKED:
                    assert (await browser.get(page)).is_success, page
        assert not wire.connections

        # The upload flow does talk, and the wire would have seen the rest.
        await phone.open_upload()
        await phone.check_code()

    assert len(wire.connections) == 1
