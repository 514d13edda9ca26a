from datetime import date
from pathlib import Path

import pytest

from immuni.api import OtpAuthorisation
from immuni.clock import SystemClock
from immuni.deployment.certificates import ensure_certificates
from immuni.portal.audit.events import Outcome
from tests.integration.portal.world import World, client_of

pytestmark = pytest.mark.anyio


async def test_a_day_that_the_service_does_not_take_is_refused(
    world: World, certificates: Path
) -> None:
    client = client_of(world.wire, ensure_certificates(certificates, clock=SystemClock()))
    long_ago = OtpAuthorisation(otp=world.code(), symptoms_started_on=date(2019, 1, 1))

    outcome = await client.authorise(long_ago, request_id="1")

    assert outcome is Outcome.REFUSED
    await client.close()


async def test_a_service_of_another_authority_learns_no_code(world: World, tmp_path: Path) -> None:
    client = client_of(world.wire, ensure_certificates(tmp_path, clock=SystemClock()))
    authorisation = OtpAuthorisation(otp=world.code(), symptoms_started_on=date(2020, 6, 18))

    outcome = await client.authorise(authorisation, request_id="1")

    assert outcome is Outcome.UNAVAILABLE
    assert await world.authorised_codes() == []
    await client.close()
