"""Where in the story one stands."""

from datetime import UTC, datetime, timedelta

import pytest

from immuni.app.state import AtRisk, Positive
from immuni.world.guide import patient, story
from immuni.world.place import Place
from immuni.world.sight import WorldSeen
from tests.unit.world.seen import NOON, a_phone, a_world

MET = {"scans": 4, "met_on": NOON.date(), "last_heard": NOON}
TOMORROW = NOON + timedelta(days=1)
ILL = Positive(TOMORROW.date())


def next_step(world: WorldSeen, done: frozenset[str] = frozenset()) -> str | None:
    return next((step.name for step in story(world, done) if not step.is_done), None)


@pytest.mark.parametrize(
    ("world", "step"),
    [
        (a_world(a_phone("A", is_set_up=False)), "set-up"),
        (a_world(), "near"),
        (a_world(place=Place.FAR), "near"),
        (a_world(place=Place.NEAR), "meet"),
        (a_world(b=a_phone("B", scans=1, last_heard=NOON), place=Place.NEAR), "meet"),
        (a_world(b=a_phone("B", **MET)), "part"),
        (a_world(b=a_phone("B", **MET), now=TOMORROW), "code"),
        (a_world(a_phone("A", code="X"), a_phone("B", **MET), now=TOMORROW), "authorise"),
        (
            a_world(a_phone("A", code="X"), a_phone("B", **MET), now=TOMORROW, authorised="X"),
            "report",
        ),
        (a_world(a_phone("A", user=ILL), a_phone("B", **MET), now=TOMORROW), "publish"),
        (
            a_world(
                a_phone("A", user=ILL),
                a_phone("B", **MET, user=AtRisk(NOON.date()), was_warned=True),
                now=TOMORROW,
            ),
            "recover",
        ),
    ],
)
def test_the_next_step_follows_from_what_is_to_be_seen(world: WorldSeen, step: str) -> None:
    assert next_step(world) == step


def test_an_old_code_that_was_authorised_does_not_stand_for_a_new_one() -> None:
    world = a_world(a_phone("A", code="NEW"), a_phone("B", **MET), now=TOMORROW, authorised="OLD")

    assert next_step(world) == "authorise"


def test_the_key_of_the_meeting_is_free_two_hours_after_midnight() -> None:
    free = datetime(2026, 3, 3, 2, tzinfo=UTC)
    b = a_phone("B", **MET)

    assert next_step(a_world(b=b, now=free - timedelta(seconds=1))) == "part"
    assert next_step(a_world(b=b, now=free)) == "code"


def test_phones_that_stay_together_for_days_need_not_part() -> None:
    b = a_phone("B", scans=400, met_on=NOON.date(), last_heard=TOMORROW)

    assert next_step(a_world(b=b, now=TOMORROW, place=Place.NEAR)) == "code"


def test_whoever_reports_on_the_day_of_the_meeting_is_told_to_wait_a_day() -> None:
    world = a_world(a_phone("A", user=Positive(NOON.date())), a_phone("B", **MET))

    step = next(each for each in story(world) if not each.is_done)

    assert (step.name, step.text) == ("publish", "Let a day pass")


def test_the_story_ends_with_recovery_and_stays_told() -> None:
    done = frozenset({"code", "authorise", "report", "publish"})
    world = a_world(b=a_phone("B", **MET, was_warned=True), now=TOMORROW)

    assert next_step(world, done) is None


def test_either_user_may_be_the_one_who_falls_ill() -> None:
    assert patient(a_world()).label == "A"
    assert patient(a_world(b=a_phone("B", code="X"))).label == "B"
    assert patient(a_world(b=a_phone("B", user=ILL))).label == "B"
    assert patient(a_world(a_phone("A", user=ILL), a_phone("B", code="X"))).label == "A"
