from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from immuni.export import ExportError
from immuni.framework import (
    MAX_DETECTIONS_PER_DAY,
    ConsentRefusedError,
    DetectionQuotaError,
    InactiveReason,
    RefusedExportError,
    UntrustedClockError,
    UserNotToldError,
)
from immuni.keys import interval_at
from immuni.risk import IMMUNI_DEFAULT
from tests.unit.framework.phones import NOON, World, no, yes

pytestmark = pytest.mark.anyio

FRESH = {"tek": 0, "broadcast": 0, "sighting": 0, "detection": 0, "exposure": 0, "fact": 1}


async def test_a_new_phone_is_silent_and_says_why(world: World) -> None:
    phone = await world.add("phone")
    await world.live(timedelta(days=1))

    assert phone.status().reasons == {
        InactiveReason.NOT_STARTED,
        InactiveReason.PERMISSION_MISSING,
    }
    assert not phone.status().active
    assert world.pdus == []
    assert world.stores["phone"].contents()["tek"] == 0


async def test_every_reason_is_told_at_once(world: World) -> None:
    phone = await world.add("phone")
    await phone.switch_bluetooth(on=False)

    assert phone.status().reasons == {
        InactiveReason.NOT_STARTED,
        InactiveReason.PERMISSION_MISSING,
        InactiveReason.BLUETOOTH_OFF,
    }


async def test_a_phone_broadcasts_as_soon_as_nothing_stands_in_the_way(world: World) -> None:
    phone = await world.add("phone")
    await phone.start()
    assert world.pdus == []

    await phone.authorise()

    assert world.pdus
    assert phone.status().active
    assert phone.status().key_storage == "a file that only its owner can read"


async def test_bluetooth_switched_off_silences_and_is_told(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.switch_bluetooth(on=False)
    world.pdus.clear()

    await world.live(timedelta(days=1))

    assert world.pdus == []
    assert phone.status().reasons == {InactiveReason.BLUETOOTH_OFF}

    await phone.switch_bluetooth(on=True)

    assert world.pdus
    assert phone.status().active


async def test_a_revoked_permission_silences_and_is_told(world: World) -> None:
    phone = await world.add_active("phone")
    await phone.revoke()
    world.pdus.clear()

    await world.live(timedelta(hours=1))

    assert world.pdus == []
    assert phone.status().reasons == {InactiveReason.PERMISSION_MISSING}


async def test_a_lost_adapter_is_told_and_tried_again(world: World) -> None:
    phone = await world.add_active("phone")
    world.air.unplug("phone")
    await world.live(timedelta(hours=1))
    assert phone.status().reasons == {InactiveReason.RADIO_LOST}
    world.pdus.clear()

    world.air.plug_in("phone")
    await world.live(timedelta(minutes=5))

    assert phone.status().active
    assert world.pdus


async def test_switches_and_keys_survive_a_restart(world: World) -> None:
    await world.add_active("phone")
    await world.live(timedelta(hours=1))
    (before,) = world.stores["phone"].keys.all()
    await world.remove("phone")

    phone = await world.add("phone")
    await world.live(timedelta(hours=1))

    assert phone.status().active
    assert world.stores["phone"].keys.all() == [before]


async def test_near_phones_keep_what_they_hear_and_far_ones_nothing(world: World) -> None:
    for name, metres in (("one", 0.0), ("other", 2.0), ("far", 500.0)):
        await world.add_active(name, at_metres=metres)

    await world.live(timedelta(minutes=30))

    heard = world.stores["one"].sightings.all()
    assert {sighting.rssi_dbm for sighting in heard} == {-20 - 58}
    assert len({sighting.seen_at for sighting in heard}) >= 6
    assert world.stores["other"].sightings.all()
    assert world.stores["far"].contents()["sighting"] == 0


async def test_what_is_older_than_fourteen_days_goes_by_itself(world: World) -> None:
    await world.add_active("phone")
    await world.add_active("neighbour", at_metres=1)
    await world.live(timedelta(minutes=30))
    await world.remove("neighbour")
    store = world.stores["phone"]
    sighting = store.sightings.all()[0]
    (key,) = store.keys.all()

    await world.live(timedelta(days=13))
    assert store.contains_bytes(sighting.rpi)
    assert len(store.keys.all()) == 14

    await world.live(timedelta(days=2))
    assert store.contents()["sighting"] == 0
    assert not store.contains_bytes(sighting.rpi)
    assert not store.contains_bytes(key.tek.key_data)
    assert len(store.keys.all()) == 15


async def test_keys_are_handed_out_after_consent_only(world: World) -> None:
    phone = await world.add_active("phone")
    await world.live(timedelta(days=1))

    with pytest.raises(ConsentRefusedError):
        await phone.tek_history(no)

    keys = world.stores["phone"].keys.all()
    assert len(keys) == 2
    assert not any(key.released for key in keys)


async def test_todays_key_ends_when_it_is_handed_out_and_the_day_goes_on(world: World) -> None:
    phone = await world.add_active("phone")
    await world.live(timedelta(days=1, hours=3))

    yesterday, today = await phone.tek_history(yes)

    assert yesterday.rolling_period == 144
    assert today.rolling_end_number == interval_at(world.clock.now()) + 1
    *_, successor = world.stores["phone"].keys.all()
    assert successor.tek.rolling_start_number == today.rolling_start_number
    assert successor.tek.key_data != today.key_data
    assert not successor.released


async def test_keys_can_be_asked_for_again_and_no_day_gets_too_many(world: World) -> None:
    phone = await world.add_active("phone")
    handed_out = []
    for _ in range(6):
        await world.live(timedelta(minutes=30))
        handed_out.append(len(await phone.tek_history(yes)))

    assert handed_out == [1, 2, 2, 2, 2, 2]
    assert len(world.stores["phone"].keys.all()) == 3
    assert phone.status().active

    await world.live(timedelta(days=1))
    assert len(await phone.tek_history(yes)) == 4


async def test_exposures_are_told_to_the_user_first(world: World) -> None:
    phone = await world.add_active("phone")

    with pytest.raises(UserNotToldError):
        await phone.exposure_info(no)
    assert await phone.exposure_info(yes) == []


async def test_detections_are_limited_by_utc_day(world: World) -> None:
    phone = await world.add_active("phone")
    for _ in range(MAX_DETECTIONS_PER_DAY):
        await phone.detect_exposures([], IMMUNI_DEFAULT)

    with pytest.raises(DetectionQuotaError, match="15"):
        await phone.detect_exposures([], IMMUNI_DEFAULT)
    await world.live(timedelta(hours=11, minutes=59))
    with pytest.raises(DetectionQuotaError):
        await phone.detect_exposures([], IMMUNI_DEFAULT)
    await world.live(timedelta(minutes=1))

    assert (await phone.detect_exposures([], IMMUNI_DEFAULT)).matched_key_count == 0


async def test_the_limit_survives_a_restart(world: World) -> None:
    phone = await world.add("phone")
    for _ in range(MAX_DETECTIONS_PER_DAY):
        await phone.detect_exposures([], IMMUNI_DEFAULT)
    await world.remove("phone")

    phone = await world.add("phone")

    with pytest.raises(DetectionQuotaError):
        await phone.detect_exposures([], IMMUNI_DEFAULT)


async def test_a_file_that_is_no_chunk_is_refused_and_does_not_count(world: World) -> None:
    phone = await world.add("phone")

    with pytest.raises(RefusedExportError, match="file 1") as refused:
        await phone.detect_exposures([b"no zip"], IMMUNI_DEFAULT)

    assert refused.value.position == 0
    assert isinstance(refused.value.__cause__, ExportError)
    assert world.stores["phone"].contents()["detection"] == 0


async def test_nothing_is_detected_over_a_clock_that_was_turned_back(world: World) -> None:
    phone = await world.add_active("phone")
    await world.live(timedelta(days=1))
    world.clock.advance(-timedelta(days=1))

    with pytest.raises(UntrustedClockError):
        await phone.detect_exposures([], IMMUNI_DEFAULT)
    assert phone.status().reasons == {InactiveReason.CLOCK_TURNED_BACK}

    await phone.trust_clock()

    assert phone.status().active
    assert (await phone.detect_exposures([], IMMUNI_DEFAULT)).matched_key_count == 0


async def test_a_phone_goes_on_when_the_clock_was_turned_back(world: World) -> None:
    await world.add_active("phone")
    await world.live(timedelta(days=1))
    world.clock.advance(-timedelta(hours=6))
    world.pdus.clear()

    await world.live(timedelta(hours=1))

    assert len({pdu.address for pdu in world.pdus}) >= 3


async def test_deleting_everything_leaves_nothing(world: World, tmp_path: Path) -> None:
    phone = await world.add_active("phone")
    await world.add_active("neighbour", at_metres=1)
    await world.live(timedelta(hours=1))
    store = world.stores["phone"]
    sighting = store.sightings.all()[0]
    key = (tmp_path / "phone" / "key").read_bytes()
    world.pdus.clear()

    await phone.delete_everything()

    assert store.contents() == FRESH
    assert not store.contains_bytes(sighting.rpi)
    assert (tmp_path / "phone" / "key").read_bytes() != key
    assert InactiveReason.NOT_STARTED in phone.status().reasons
    await world.live(timedelta(hours=1))
    assert {pdu.sender for pdu in world.pdus} == {"neighbour"}


async def test_each_utc_day_has_its_key(world: World) -> None:
    await world.add_active("phone")

    await world.live(timedelta(days=3))

    days = [
        datetime.fromtimestamp(own.tek.rolling_start_number * 600, UTC)
        for own in world.stores["phone"].keys.all()
    ]
    midnight = NOON.replace(hour=0)
    assert days == [midnight + timedelta(days=day) for day in range(4)]
