from datetime import timedelta

import pytest

from immuni.app.phone import Phone
from immuni.app.state import Neutral, Positive
from immuni.app.transport import ServerUnreachableError
from immuni.app.upload_errors import (
    CheckLockedError,
    CodeExpiredError,
    CodeNotAuthorisedError,
    ServerBusyError,
    UploadOrderError,
)
from immuni.framework import ConsentRefusedError
from immuni.framework.store.encrypted_database import EncryptedDatabase
from tests.integration.app.world import CHIETI, World

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def with_code(world: World) -> Phone:
    """Return a phone of three days whose upload screen is open."""
    phone = await world.add_ready("alice")
    await world.live(2 * DAY)
    await phone.open_upload()
    return phone


async def with_authorised_code(world: World) -> Phone:
    phone = await with_code(world)
    assert phone.flow is not None
    world.servers.authorise(phone.flow.otp)
    await phone.check_code()
    return phone


async def test_an_upload_sends_keys_and_province_and_makes_positive(world: World) -> None:
    phone = await with_authorised_code(world)

    contents = await phone.upload(consent=True)

    (upload,) = world.servers.uploads
    assert len(upload.teks) == contents.key_count == 3
    assert upload.province == contents.province == CHIETI
    assert phone.status().user == Positive(world.clock.now().date())
    assert phone.flow is None


async def test_each_visit_to_the_upload_screen_has_a_code_of_its_own(world: World) -> None:
    phone = await world.add_ready("alice")

    assert len({await phone.open_upload() for _ in range(5)}) == 5


async def test_the_code_is_never_stored(world: World) -> None:
    phone = await with_code(world)
    otp = await phone.open_upload()
    phone.choose_language("it")
    await world.remove("alice")

    for name in ("app", "framework"):
        key = (world.folder / f"alice/{name}.key").read_bytes()
        database = EncryptedDatabase(world.folder / f"alice/{name}.db", key)
        pages = b"".join(database.plain_pages())
        database.close()
        assert pages
        assert otp.encode() not in pages


async def test_a_code_that_is_not_authorised_locks_the_next_check(world: World) -> None:
    phone = await with_code(world)

    with pytest.raises(CodeNotAuthorisedError):
        await phone.check_code()
    with pytest.raises(CheckLockedError) as locked:
        await phone.check_code()

    assert locked.value.until == world.clock.now() + timedelta(seconds=5)
    assert world.servers.asked == ["/v1/ingestion/check-otp"]


async def test_the_lock_survives_a_restart_and_a_new_code(world: World) -> None:
    phone = await with_code(world)
    with pytest.raises(CodeNotAuthorisedError):
        await phone.check_code()

    await world.remove("alice")
    again = await world.add("alice")
    await again.open_upload()

    with pytest.raises(CheckLockedError):
        await again.check_code()


async def test_a_check_that_succeeds_ends_the_count_of_failures(world: World) -> None:
    phone = await with_code(world)
    with pytest.raises(CodeNotAuthorisedError):
        await phone.check_code()
    await world.live(timedelta(seconds=5))
    assert phone.flow is not None
    world.servers.authorise(phone.flow.otp)

    await phone.check_code()

    assert phone.record.failed_checks.count == 0


async def test_a_busy_server_does_not_count_as_a_failure(world: World) -> None:
    phone = await with_code(world)
    world.servers.busy = True

    for _ in range(2):
        with pytest.raises(ServerBusyError):
            await phone.check_code()

    assert phone.record.failed_checks.count == 0


async def test_a_user_who_declines_sends_nothing_and_can_think_again(world: World) -> None:
    phone = await with_authorised_code(world)

    with pytest.raises(ConsentRefusedError):
        await phone.upload(consent=False)
    assert world.servers.uploads == []
    assert phone.status().user == Neutral()

    await phone.upload(consent=True)
    assert len(world.servers.uploads) == 1


async def test_nothing_is_shared_before_the_code_was_checked(world: World) -> None:
    phone = await with_code(world)

    with pytest.raises(UploadOrderError):
        await phone.share_keys(consent=True)
    with pytest.raises(UploadOrderError):
        await phone.send_upload()


async def test_a_code_that_expired_before_the_upload_is_told_apart(world: World) -> None:
    phone = await with_authorised_code(world)
    await phone.share_keys(consent=True)
    world.servers.authorised.clear()

    with pytest.raises(CodeExpiredError):
        await phone.send_upload()

    assert phone.record.failed_checks.count == 0
    assert phone.status().user == Neutral()


async def test_a_second_try_sends_the_same_keys(world: World) -> None:
    phone = await with_authorised_code(world)
    await phone.share_keys(consent=True)
    world.servers.busy = True
    with pytest.raises(ServerBusyError):
        await phone.send_upload()
    world.servers.busy = False

    await world.live(timedelta(minutes=20))
    await phone.send_upload()

    first, second = world.servers.attempts
    assert first.teks == second.teks
    assert world.servers.uploads == [second]


async def test_a_server_that_is_not_there_loses_nothing(world: World) -> None:
    world.url = "http://127.0.0.1:1"
    phone = await with_code(world)

    with pytest.raises(ServerUnreachableError):
        await phone.check_code()

    assert phone.flow is not None
    assert phone.record.failed_checks.count == 0


async def test_leaving_the_screen_forgets_its_code(world: World) -> None:
    phone = await with_code(world)

    phone.close_upload()

    assert phone.flow is None
    with pytest.raises(UploadOrderError):
        await phone.check_code()


async def test_summaries_of_the_last_fortnight_go_with_the_upload(world: World) -> None:
    alice, bruno = await world.add_ready("alice"), await world.add_ready("bruno")
    await world.live(timedelta(hours=10))
    await world.meet(timedelta(minutes=30))
    await world.live(DAY)

    async def agreed() -> bool:
        return True

    world.publish(1, await alice.framework.tek_history(agreed))
    await bruno.background_session()
    otp = await bruno.open_upload()
    world.servers.authorise(otp)
    await bruno.check_code()
    await bruno.upload(consent=True)

    (summary,) = world.servers.uploads[0].exposure_detection_summaries
    assert summary.matched_key_count == 1
    assert summary.days_since_last_exposure == 1
    assert len(summary.exposure_info) == 1
