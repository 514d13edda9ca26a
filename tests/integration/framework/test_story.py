"""Two phones meet, one user tests positive, the other is warned, a third is not."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from immuni.export import Export, VerificationKey, write_export
from immuni.framework import RefusedExportError
from immuni.keys import DiagnosisKey, ReportType, TemporaryExposureKey
from immuni.risk import IMMUNI_DEFAULT
from tests.unit.framework.phones import NOON, World, identifiers, yes

pytestmark = pytest.mark.anyio


class Signer:
    """The authority's key, in memory."""

    key_id = "222"
    key_version = "v1"

    def __init__(self) -> None:
        self._private_key = ec.generate_private_key(ec.SECP256R1())

    def sign(self, data: bytes) -> bytes:
        return self._private_key.sign(data, ec.ECDSA(hashes.SHA256()))

    @property
    def verification_key(self) -> VerificationKey:
        return VerificationKey(self.key_id, self.key_version, self._private_key.public_key())


SIGNER = Signer()


def chunk(keys: list[TemporaryExposureKey], signer: Signer = SIGNER) -> bytes:
    diagnosis_keys = tuple(
        DiagnosisKey(tek, transmission_risk_level=5, report_type=ReportType.CONFIRMED_TEST)
        for tek in sorted(keys, key=lambda tek: tek.key_data)
    )
    export = Export(start=NOON, end=NOON + timedelta(hours=4), region="222", keys=diagnosis_keys)
    return write_export(export, [signer])


@pytest.fixture
async def met(world: World) -> World:
    """Three phones after three days; A and B met for half an hour on the first."""
    for name in ("A", "B", "C"):
        await world.add_active(name, at_metres=500.0, keys=[SIGNER.verification_key])
    world.air.place("A", 0, 0)
    world.air.place("C", 1000, 0)
    await world.live(timedelta(hours=3))
    world.air.place("B", 0.9, 0.4)
    await world.live(timedelta(minutes=30))
    world.air.place("B", 500, 0)
    await world.live(timedelta(days=3) - timedelta(hours=3, minutes=30))
    return world


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
