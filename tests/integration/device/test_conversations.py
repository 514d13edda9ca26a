"""The App and the framework, with the daemon's socket in between."""

import asyncio
import stat
import struct
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.device import (
    DeviceClient,
    DeviceFaultError,
    DeviceUnreachableError,
    MalformedFrameError,
    listening,
)
from immuni.export import MalformedContainerError
from immuni.framework import (
    MAX_DETECTIONS_PER_DAY,
    ConsentRefusedError,
    DetectionQuotaError,
    ExposureNotificationFramework,
    InactiveReason,
    RefusedExportError,
    UntrustedClockError,
    UserNotToldError,
)
from immuni.risk import IMMUNI_DEFAULT
from tests.integration.device.conftest import unexpected
from tests.unit.framework.phones import World, no, yes

pytestmark = pytest.mark.anyio

NO_PATIENCE = timedelta()


async def test_the_status_arrives_with_every_reason(
    client: DeviceClient, framework: ExposureNotificationFramework
) -> None:
    status = await client.status()

    here = framework.status()
    assert (status.reasons, status.key_storage) == (here.reasons, here.key_storage)
    assert status.reasons == {InactiveReason.NOT_STARTED, InactiveReason.PERMISSION_MISSING}


async def test_the_radio_does_what_the_app_asks(client: DeviceClient, world: World) -> None:
    await client.authorise()
    await client.start()
    assert (await client.status()).active
    assert world.pdus

    await client.stop()
    world.pdus.clear()
    await world.live(timedelta(hours=1))
    assert world.pdus == []

    await client.start()
    await client.revoke()
    assert (await client.status()).reasons == {InactiveReason.PERMISSION_MISSING}


async def test_a_pause_is_taken_and_ended(client: DeviceClient, world: World) -> None:
    await client.authorise()
    await client.start()
    until = world.clock.now() + timedelta(hours=4)

    await client.pause(until=until)

    paused = await client.status()
    assert paused.reasons == {InactiveReason.PAUSED}
    assert paused.paused_until == until

    await client.resume()
    assert (await client.status()).active


async def test_what_only_the_user_can_answer_is_asked_in_the_app(
    client: DeviceClient, world: World
) -> None:
    await client.authorise()
    await client.start()
    await world.live(timedelta(days=1))

    with pytest.raises(ConsentRefusedError):
        await client.tek_history(no)
    with pytest.raises(UserNotToldError):
        await client.exposure_info(no)

    assert len(await client.tek_history(yes)) == 2
    assert await client.exposure_info(yes) == []


async def test_an_app_that_goes_away_over_a_question_has_not_agreed(
    client: DeviceClient, world: World
) -> None:
    await client.authorise()
    await client.start()

    async def leave() -> bool:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await client.tek_history(leave)
    await client.status()

    assert not any(key.released for key in world.stores["phone"].keys.all())


async def test_keys_permitted_before_are_handed_out_once(
    client: DeviceClient, world: World
) -> None:
    await client.authorise()
    await client.start()

    with pytest.raises(ConsentRefusedError):
        await client.pre_authorised_tek_history()
    assert await client.pre_authorise(yes) == world.clock.now() + timedelta(days=5)

    assert len(await client.pre_authorised_tek_history()) == 1
    with pytest.raises(ConsentRefusedError):
        await client.pre_authorised_tek_history()


async def test_detections_are_held_and_counted(client: DeviceClient) -> None:
    for _ in range(MAX_DETECTIONS_PER_DAY):
        summary = await client.detect_exposures([], IMMUNI_DEFAULT)
        assert summary.matched_key_count == 0

    with pytest.raises(DetectionQuotaError, match="15"):
        await client.detect_exposures([], IMMUNI_DEFAULT)


async def test_a_file_that_is_refused_is_told_with_its_place_and_its_fault(
    client: DeviceClient,
) -> None:
    with pytest.raises(RefusedExportError, match="file 1 was refused") as refused:
        await client.detect_exposures([b"no zip", b"neither"], IMMUNI_DEFAULT)

    assert refused.value.position == 0
    assert isinstance(refused.value.__cause__, MalformedContainerError)


async def test_a_clock_that_was_turned_back_is_told_and_can_be_trusted(
    client: DeviceClient, framework: ExposureNotificationFramework, world: World
) -> None:
    framework.notice(world.clock.now())
    world.clock.advance(-timedelta(days=1))
    with pytest.raises(UntrustedClockError):
        await client.detect_exposures([], IMMUNI_DEFAULT)

    await client.trust_clock()

    await client.detect_exposures([], IMMUNI_DEFAULT)


async def test_everything_can_be_deleted(client: DeviceClient, world: World) -> None:
    await client.authorise()
    await client.start()

    before = await client.stored()
    await client.delete_everything()

    assert before["tek"] == 1
    assert (await client.stored())["tek"] == 0
    assert world.stores["phone"].contents()["tek"] == 0


async def test_the_socket_is_the_owners_alone_and_goes_with_the_daemon(
    framework: ExposureNotificationFramework, tmp_path: Path
) -> None:
    path = tmp_path / "s"
    path.write_text("left behind")
    async with listening(framework, path, on_fault=unexpected):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_ISSOCK(path.stat().st_mode)

    assert not path.exists()
    with pytest.raises(DeviceUnreachableError, match="no daemon answers"):
        await DeviceClient(path).status()


@pytest.mark.parametrize(
    "sent",
    [
        b"\xff\xff\xff\xff",
        struct.pack(">I", 5) + b"hello",
        struct.pack(">I", 1) + b"\x80",
        struct.pack(">I", 10) + b"cut",
        struct.pack(">I", 100_003) + b"\x81\xa1x" + b"\x91" * 100_000,
        b"",
    ],
)
async def test_what_is_not_understood_ends_one_conversation_and_no_other(
    sent: bytes, framework: ExposureNotificationFramework, tmp_path: Path
) -> None:
    async with listening(framework, tmp_path / "s", on_fault=unexpected):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(sent)
        writer.write_eof()

        answer = await reader.read()
        writer.close()

        assert answer == b"" if sent == b"" else b"malformed" in answer
        assert not (await DeviceClient(tmp_path / "s").status()).active


async def test_a_listener_that_ends_leaves_no_conversation_behind(
    framework: ExposureNotificationFramework, tmp_path: Path
) -> None:
    before = asyncio.all_tasks()
    async with listening(framework, tmp_path / "s", on_fault=unexpected):
        _, writer = await asyncio.open_unix_connection(tmp_path / "s")
        await DeviceClient(tmp_path / "s").status()
    writer.close()

    assert asyncio.all_tasks() == before


async def test_a_pause_until_a_moment_of_no_zone_is_not_understood(
    client: DeviceClient, world: World
) -> None:
    until = world.clock.now().replace(tzinfo=None) + timedelta(hours=1)

    with pytest.raises(MalformedFrameError, match="timezone"):
        await client.pause(until=until)

    assert InactiveReason.PAUSED not in (await client.status()).reasons


async def test_who_keeps_the_daemon_waiting_is_left(
    framework: ExposureNotificationFramework, tmp_path: Path
) -> None:
    async with listening(framework, tmp_path / "s", on_fault=unexpected, patience=NO_PATIENCE):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")

        assert await reader.read() == b""
        writer.close()


async def test_a_fault_that_nobody_foresaw_is_told_without_what_it_says(
    framework: ExposureNotificationFramework, world: World, tmp_path: Path
) -> None:
    told: list[BaseException] = []
    # A database that somebody else wrote into.
    world.stores["phone"]._database.execute("PRAGMA ignore_check_constraints = on")
    world.stores["phone"]._database.execute(
        "INSERT INTO detection (held_at, kind) VALUES (0, 'v2')"
    )
    world.stores["phone"]._database.execute(
        "INSERT INTO exposure (detection_id, place, tag, day, info) VALUES (1, 1, x'', 1, x'c1')"
    )
    async with listening(framework, tmp_path / "s", on_fault=told.append):
        client = DeviceClient(tmp_path / "s")
        with pytest.raises(DeviceFaultError) as answer:
            await client.exposure_windows()
        await client.status()

    (fault,) = told
    assert str(fault) not in str(answer.value)
    assert type(fault).__name__ in str(answer.value)


async def test_a_detection_takes_in_no_more_than_the_largest_chunk(
    framework: ExposureNotificationFramework, tmp_path: Path
) -> None:
    async with listening(framework, tmp_path / "s", on_fault=unexpected, most_bytes=100):
        client = DeviceClient(tmp_path / "s")
        with pytest.raises(RefusedExportError):
            await client.detect_exposures([bytes(60)], IMMUNI_DEFAULT)

        with pytest.raises(MalformedFrameError, match="at most 40 bytes"):
            await client.detect_exposures([bytes(60), bytes(60)], IMMUNI_DEFAULT)
