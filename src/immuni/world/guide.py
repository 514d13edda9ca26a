"""How the story goes, and where in it one stands. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from immuni.world.place import Place
from immuni.world.sight import PhoneSeen, WorldSeen

_EMBARGO: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story.

    Attributes:
        name: For machines.
        text: What to do.
        why: What to look at, or why.
        button: The id of what is to be pressed on the page, empty where that is on a phone.
        is_done: Whether it is behind.
    """

    name: str
    text: str
    why: str
    button: str
    is_done: bool


def story(world: WorldSeen, done: frozenset[str] = frozenset()) -> list[Step]:
    """Return the steps of the story in their order.

    Args:
        world: As it is now.
        done: Names of steps that were done before, whatever has become of it since.
    """
    ill = patient(world)
    other = next(phone for phone in world.phones if phone is not ill)
    has_met = other.met_on is not None
    is_over = _is_meeting_over(world, other)
    reported = ill.is_positive or "report" in done
    warned = other.was_warned or other.is_at_risk
    steps = (
        (
            "set-up",
            f"Set up phone {ill.label}",
            "Walk through its welcome pages, or skip them below it. The other one is ready.",
            f"set-up-{ill.label}",
            all(phone.is_set_up for phone in world.phones),
        ),
        (
            "near",
            "Put the phones near each other",
            "One metre apart they hear each other well.",
            f"place-{Place.NEAR}",
            world.place is Place.NEAR or has_met,
        ),
        (
            "meet",
            "Let an hour pass",
            "Each phone calls out random numbers, and every few minutes listens for others.",
            "time-1",
            has_met,
        ),
        (
            "part",
            "Let a day pass",
            (
                "Near or apart, as you like. What stands behind the numbers of a day is published "
                "only when the day is over: before, somebody could pretend to be this phone."
            ),
            "time-24",
            has_met and (reported or is_over),
        ),
        (
            "code",
            f"Phone {ill.label}’s user tests positive",
            "“Test positive” opens the page with the code.",
            f"positive-{ill.label}",
            ill.code is not None or reported,
        ),
        (
            "authorise",
            "The operator authorises the code",
            (
                "At the operator’s desk below: with one click, or by hand in the portal. The code "
                "lives two and a half minutes, so let no hours pass."
            ),
            "authorise",
            ill.is_code_checked or reported or (ill.code is not None and _is_authorised(world)),
        ),
        (
            "report",
            f"Upload on phone {ill.label}",
            "Go on there until it says Thank you. Each page can be declined.",
            "",
            reported,
        ),
        (
            "publish",
            "Let an hour pass" if is_over else "Let a day pass",
            "The servers publish the keys whose days are over. Every phone downloads them.",
            "time-1" if is_over else "time-24",
            warned,
        ),
        (
            "recover",
            f"Read the warning on phone {other.label}, then let phone {ill.label} recover",
            (
                "“What to do now” is what its user reads next. Press “Recover” when phone "
                f"{ill.label}’s user is well again."
            ),
            f"well-{ill.label}",
            reported and warned and not ill.is_positive,
        ),
    )
    return [
        Step(name, text, why, button, is_done or name in done)
        for name, text, why, button, is_done in steps
    ]


def patient(world: WorldSeen) -> PhoneSeen:
    """Return the phone whose user is ill in this story: A, unless B shows a code or reported."""
    one, other = world.phones
    is_other = other.is_positive or (other.code is not None and not one.is_positive)
    return other if is_other and not one.is_positive and one.code is None else one


def _is_authorised(world: WorldSeen) -> bool:
    return world.authorised is not None and any(
        phone.code == world.authorised for phone in world.phones
    )


def _is_meeting_over(world: WorldSeen, other: PhoneSeen) -> bool:
    """Tell whether the key of the day on which the phones met may be published."""
    if other.met_on is None:
        return False
    tomorrow = other.met_on + timedelta(days=1)
    return world.now >= datetime.combine(tomorrow, time(), tzinfo=UTC) + _EMBARGO
