from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from immuni.app.notifications import NotificationKind
from immuni.app.phone import Phone
from immuni.app.record import CheckFailure
from immuni.app.state import AtRisk, Neutral, Positive
from immuni.app.status import ServiceIssue
from immuni.framework import MAX_DETECTIONS_PER_DAY
from tests.integration.app.servers import Signer, chunk_of
from tests.integration.app.world import World, uploaded_keys

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
FOUR_HOURS = timedelta(hours=4)
CONTACT_DAY = date(2020, 6, 8)


def fetched(world: World) -> list[str]:
    """Return the chunks that were asked for since the last time, in order."""
    asked = [path for path in world.servers.asked if path.startswith("/v1/keys/")]
    world.servers.asked.clear()
    return [path.removeprefix("/v1/keys/") for path in asked if path != "/v1/keys/index"]


def publish_empty(world: World, numbers: Sequence[int]) -> None:
    for number in numbers:
        world.publish(number, [])


async def test_a_meeting_whose_key_is_published_warns_once_with_its_day(
    world: World, met: tuple[Phone, Phone]
) -> None:
    alice, bruno = met
    world.publish(1, await uploaded_keys(alice))

    await bruno.background_session()

    assert bruno.status().user == AtRisk(CONTACT_DAY)
    assert [each.kind for each in bruno.record.notifications] == [NotificationKind.RISK]
    assert bruno.record.notifications[0].contact_day == CONTACT_DAY
    (contact,) = bruno.record.history
    assert (contact.day, contact.duration_seconds) == (CONTACT_DAY, 1800)

    await world.live(FOUR_HOURS)
    await bruno.background_session()
    assert len(bruno.record.notifications) == 1


async def test_a_phone_that_was_far_away_stays_silent(world: World) -> None:
    alice, carla = await world.add_ready("alice"), await world.add_ready("carla")
    await world.live(2 * DAY)
    world.publish(1, await uploaded_keys(alice))

    await carla.background_session()

    assert carla.status().user == Neutral()
    assert carla.record.summaries == ()
    assert carla.record.last_check == world.clock.now()


async def test_nothing_is_asked_before_the_onboarding_is_complete(world: World) -> None:
    phone = await world.add("alice")

    await phone.background_session()

    assert world.servers.asked == []


async def test_a_check_without_any_chunk_is_complete(world: World) -> None:
    phone = await world.add_ready("alice")

    await phone.background_session()

    assert world.servers.asked == ["/v1/settings", "/v1/keys/index"]
    assert phone.record.last_check == world.clock.now()
    assert phone.record.failure is None


async def test_every_new_chunk_is_fetched_in_order_and_no_old_one_again(world: World) -> None:
    phone = await world.add_ready("alice")
    publish_empty(world, [3, 4, 5])

    await phone.background_session()
    assert fetched(world) == ["3", "4", "5"]
    assert phone.record.last_processed_chunk == 5

    publish_empty(world, [6, 7])
    await world.live(FOUR_HOURS)
    await phone.background_session()
    assert fetched(world) == ["6", "7"]


async def test_all_chunks_of_a_session_are_one_detection(world: World) -> None:
    phone = await world.add_ready("alice")
    many = MAX_DETECTIONS_PER_DAY + 1
    publish_empty(world, range(1, many + 1))

    await phone.background_session()

    assert phone.record.failure is None
    assert phone.record.last_processed_chunk == many


async def test_a_used_up_quota_is_told_and_nothing_is_skipped(world: World) -> None:
    phone = await world.add_ready("alice")
    world.servers.settings = {"exposure_detection_period": 1}
    for session in range(MAX_DETECTIONS_PER_DAY + 1):
        publish_empty(world, [session + 1])
        world.clock.advance(timedelta(minutes=1))
        await phone.background_session()

    assert phone.record.failure is CheckFailure.QUOTA
    assert phone.record.last_processed_chunk == MAX_DETECTIONS_PER_DAY

    await world.live(DAY)
    await phone.background_session()
    assert phone.record.failure is None
    assert phone.record.last_processed_chunk == MAX_DETECTIONS_PER_DAY + 1


async def test_a_gap_is_passed_over_from_the_oldest_chunk_on(world: World) -> None:
    phone = await world.add_ready("alice")
    publish_empty(world, [1])
    await phone.background_session()
    del world.servers.chunks[1]
    publish_empty(world, [40, 41])

    await world.live(FOUR_HOURS)
    await phone.background_session()

    assert fetched(world) == ["1", "40", "41"]
    assert phone.record.last_processed_chunk == 41


async def test_a_server_that_starts_anew_is_followed(world: World) -> None:
    phone = await world.add_ready("alice")
    publish_empty(world, [40, 41])
    await phone.background_session()
    world.servers.chunks.clear()
    publish_empty(world, [1, 2])

    await world.live(FOUR_HOURS)
    await phone.background_session()

    assert phone.record.last_processed_chunk == 2


async def test_a_chunk_that_cannot_be_fetched_ends_the_check_and_starts_the_next(
    world: World,
    met: tuple[Phone, Phone],
) -> None:
    alice, bruno = met
    world.publish(1, await uploaded_keys(alice))
    publish_empty(world, [2, 3])
    world.servers.broken_paths.add("/v1/keys/2")

    await bruno.background_session()

    assert bruno.record.last_processed_chunk == 1
    assert bruno.record.failure is CheckFailure.UNEXPECTED_ANSWER
    assert bruno.record.last_check is None
    assert bruno.status().user == AtRisk(CONTACT_DAY)

    world.servers.broken_paths.clear()
    fetched(world)
    await bruno.background_session()
    assert fetched(world) == ["2", "3"]
    assert bruno.record.failure is None
    assert bruno.record.last_check == world.clock.now()


async def test_a_forged_chunk_is_not_matched_and_those_before_it_are(
    world: World, met: tuple[Phone, Phone]
) -> None:
    alice, bruno = met
    world.publish(1, await uploaded_keys(alice))
    world.servers.chunks[2] = chunk_of([], signer=Signer(), end=world.clock.now())
    publish_empty(world, [3])

    await bruno.background_session()

    assert bruno.status().user == AtRisk(CONTACT_DAY)
    assert bruno.record.last_processed_chunk == 1
    assert bruno.record.failure is CheckFailure.CHUNK_NOT_SIGNED


async def test_a_damaged_first_chunk_leaves_everything_to_the_next_session(world: World) -> None:
    phone = await world.add_ready("alice")
    world.servers.chunks[1] = b"PK no zip"

    await phone.background_session()

    assert phone.record.last_processed_chunk is None
    assert phone.record.failure is CheckFailure.CHUNK_DAMAGED


async def test_an_unreachable_server_is_told_and_a_day_later_an_issue(world: World) -> None:
    phone = await world.add_ready("alice")
    await phone.background_session()
    world.servers.broken_paths.add("/v1/keys/index")

    await world.live(timedelta(hours=25))
    await phone.background_session()

    assert phone.record.failure is CheckFailure.UNEXPECTED_ANSWER
    assert phone.status().issues == (ServiceIssue.NO_RECENT_CHECK,)


async def test_checks_keep_the_distance_that_the_settings_ask_for(world: World) -> None:
    phone = await world.add_ready("alice")
    world.servers.settings = {"exposure_detection_period": 3600}
    await phone.background_session()
    world.servers.asked.clear()

    await world.live(timedelta(minutes=59))
    await phone.background_session()
    assert world.servers.asked == ["/v1/settings"]

    await world.live(timedelta(minutes=1))
    await phone.background_session()
    assert world.servers.asked[1:] == ["/v1/settings", "/v1/keys/index"]


async def test_forged_settings_change_nothing_and_do_not_stop_the_check(world: World) -> None:
    phone = await world.add_ready("alice")
    world.servers.settings = {"minimum_build_version": 20_000}
    world.servers.settings_key = ec.generate_private_key(ec.SECP256R1())

    await phone.background_session()

    assert phone.record.settings.values.minimum_build_version == 1
    assert phone.record.last_check == world.clock.now()


async def test_a_build_that_is_too_old_fetches_no_keys_and_asks_for_an_update(
    world: World,
) -> None:
    phone = await world.add_ready("alice")
    world.servers.settings = {"minimum_build_version": 11}

    await phone.background_session()

    assert world.servers.asked == ["/v1/settings"]
    assert phone.status().issues == (ServiceIssue.UPDATE_REQUIRED,)
    assert phone.record.notifications[-1].kind is NotificationKind.UPDATE_REQUIRED


async def test_a_positive_user_fetches_what_all_fetch_and_is_not_warned(
    world: World, met: tuple[Phone, Phone]
) -> None:
    alice, bruno = met
    otp = await bruno.open_upload()
    world.servers.authorise(otp)
    await bruno.check_code()
    await bruno.upload(consent=True)
    world.publish(1, await uploaded_keys(alice))
    world.servers.asked.clear()

    await bruno.background_session()

    assert world.servers.asked == ["/v1/settings", "/v1/keys/index", "/v1/keys/1"]
    assert isinstance(bruno.status().user, Positive)
    assert bruno.record.summaries == ()
    assert bruno.record.last_processed_chunk == 1


async def test_what_a_session_found_survives_a_restart(
    world: World, met: tuple[Phone, Phone]
) -> None:
    alice, bruno = met
    world.publish(1, await uploaded_keys(alice))
    await bruno.background_session()
    before = bruno.record

    await world.remove("bruno")
    again = await world.add("bruno")

    assert again.record == before
    assert again.status().active


async def test_a_clock_that_the_server_confirms_is_trusted_again(world: World) -> None:
    phone = await world.add_ready("alice")
    world.clock.advance(30 * DAY)
    await phone.framework.act(world.clock.now())
    world.clock.advance(-30 * DAY)
    await phone.framework.act(world.clock.now())
    assert phone.status().issues == (ServiceIssue.CLOCK_WRONG,)

    await phone.background_session()

    assert phone.status().active


async def test_a_warning_ends_by_itself_and_its_contact_can_still_be_read(
    world: World, met: tuple[Phone, Phone]
) -> None:
    alice, bruno = met
    world.publish(1, await uploaded_keys(alice))
    await bruno.background_session()

    world.clock.advance(timedelta(days=12))
    await bruno.background_session()

    assert bruno.status().user == Neutral()
    assert [each.day for each in bruno.record.history] == [CONTACT_DAY]
