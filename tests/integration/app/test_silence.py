"""An App in production tells nobody what it does: no record, no event, no output."""

import logging
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from immuni.api import Platform
from immuni.app.phone import Phone
from immuni.app.record import CheckFailure
from immuni.app.state import AtRisk, Positive
from immuni.app.upload_errors import CodeNotAuthorisedError
from tests.integration.app.test_simulation import Eager, a_sequence
from tests.integration.app.world import World, uploaded_keys

pytestmark = pytest.mark.anyio


async def test_sessions_uploads_and_simulations_log_nothing(
    world: World,
    met: tuple[Phone, Phone],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    alice, bruno = met
    world.publish(1, await uploaded_keys(bruno))
    with capture_logs() as events:
        await alice.background_session()
        await uploads(world, bruno)
        await without_servers(world, alice)
        await simulates(world)

    assert isinstance(alice.record.user, AtRisk)
    assert isinstance(bruno.record.user, Positive)
    assert [*caplog.records, *events] == []
    assert capfd.readouterr() == ("", "")


async def test_a_record_would_be_found(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("immuni.app").warning("spoken")

    assert len(caplog.records) == 1


async def uploads(world: World, phone: Phone) -> None:
    """Have a code refused, have another one authorised after the lock, and upload."""
    await phone.open_upload()
    with pytest.raises(CodeNotAuthorisedError):
        await phone.check_code()
    world.pass_over(timedelta(minutes=1))
    world.servers.authorise(await phone.open_upload())
    await phone.check_code()
    await phone.upload(consent=True)


async def without_servers(world: World, phone: Phone) -> None:
    """Have a check fail, half a day later."""
    world.pass_over(timedelta(hours=12))
    world.servers.broken_paths = {"/v1/keys/index"}
    await phone.background_session()
    assert phone.record.failure is CheckFailure.UNEXPECTED_ANSWER


async def simulates(world: World) -> None:
    """Have a phone on iOS send a sequence of dummies."""
    phone = await world.add_ready("carla", platform=Platform.IOS, entropy=Eager())
    await a_sequence(phone)
    assert phone.record.simulation is not None
