"""Two phones meet, one user tests positive, the other is warned, a third is not."""

from datetime import timedelta

import pytest

from immuni.framework import RefusedExportError
from immuni.risk import IMMUNI_DEFAULT
from tests.integration.framework.chunks import SIGNER, Signer, chunk
from tests.unit.framework.phones import NOON, World, identifiers, yes

pytestmark = pytest.mark.anyio


async def test_the_one_who_was_near_finds_out_when_and_how_near(met: World) -> None:
    published = chunk(await met.phones["A"].tek_history(yes))

    summary = await met.phones["B"].detect_exposures([published], IMMUNI_DEFAULT)
    (info,) = await met.phones["B"].exposure_info(yes)

    assert summary.maximum_risk_score == 25
    assert summary.matched_key_count == 1
    assert summary.days_since_last_exposure == 3
    assert info.day == NOON.date()
    assert info.total_risk_score == 25
    assert info.attenuation_db == 54
    assert info.duration_seconds >= 1500


async def test_the_one_who_was_far_hears_nothing_and_finds_nothing(met: World) -> None:
    published = chunk(await met.phones["A"].tek_history(yes))

    summary = await met.phones["C"].detect_exposures([published], IMMUNI_DEFAULT)

    assert summary.matched_key_count == 0
    assert summary.maximum_risk_score == 0
    assert met.stores["C"].contents()["sighting"] == 0
    assert await met.phones["C"].exposure_info(yes) == []


async def test_the_exposure_can_be_told_after_a_restart(met: World) -> None:
    published = chunk(await met.phones["A"].tek_history(yes))
    await met.phones["B"].detect_exposures([published], IMMUNI_DEFAULT)
    await met.remove("B")

    restarted = await met.add("B", keys=[SIGNER.verification_key])

    (info,) = await restarted.exposure_info(yes)
    assert info.total_risk_score == 25


async def test_the_database_holds_no_more_than_it_should(met: World) -> None:
    history = await met.phones["A"].tek_history(yes)
    await met.phones["B"].detect_exposures([chunk(history)], IMMUNI_DEFAULT)
    store = met.stores["B"]

    heard = {sighting.rpi for sighting in store.sightings.all()}
    every = {rpi for tek in history for rpi in identifiers(tek)}
    addresses = {pdu.address for pdu in met.pdus if pdu.sender == "A"}
    assert heard
    assert heard < every
    assert not any(store.contains_bytes(tek.key_data) for tek in history)
    assert not any(store.contains_bytes(rpi) for rpi in sorted(every - heard)[::10])
    assert not any(store.contains_bytes(address) for address in sorted(addresses)[::10])
    assert all(store.contains_bytes(rpi) for rpi in heard)


async def test_a_chunk_that_another_key_signed_is_refused_with_all_others(met: World) -> None:
    history = await met.phones["A"].tek_history(yes)
    forged = chunk(history, Signer())

    with pytest.raises(RefusedExportError) as refused:
        await met.phones["B"].detect_exposures([chunk(history), forged], IMMUNI_DEFAULT)

    assert refused.value.position == 1
    assert met.stores["B"].contents()["exposure"] == 0


async def test_a_short_meeting_scores_nothing(world: World) -> None:
    await world.add_active("A")
    await world.add_active("B", at_metres=500, keys=[SIGNER.verification_key])
    world.air.place("B", 1, 0)
    await world.live(timedelta(minutes=6))
    world.air.place("B", 500, 0)
    await world.live(timedelta(days=1))

    published = chunk(await world.phones["A"].tek_history(yes))
    summary = await world.phones["B"].detect_exposures([published], IMMUNI_DEFAULT)

    assert summary.matched_key_count == 1
    assert summary.maximum_risk_score == 0
