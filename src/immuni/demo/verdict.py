"""The checks that decide whether the story came out right. Each can fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from immuni.api import Platform, ProvinceCode
from immuni.app.phone import Phone
from immuni.app.state import AtRisk, Neutral
from immuni.demo.reports import KeptReport
from immuni.deployment.virtual_phones import VirtualPhone
from immuni.errors import ImmuniError
from immuni.export import Export

EXPECTED_SCORE: Final = 25
"""Half an hour at a metre: attenuation 5, days 1, duration 5, transmission 1."""


class StoryFailedError(ImmuniError, RuntimeError):
    """The story did not come out as it must; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - the field's word
    """What a phone told its user."""

    day: date
    total_risk_score: int


def require_warning(phone: Phone, *, day: date) -> Warning:
    """Return the warning that the phone gave.

    Raises:
        StoryFailedError: It gave none, or one with another day or score.
    """
    user = phone.record.user
    if not isinstance(user, AtRisk):
        raise StoryFailedError(f"phone B did not warn; its last check: {phone.record.failure}")
    score = max((each.maximum_risk_score for each in phone.record.summaries), default=0)
    if user.last_contact_day != day:
        raise StoryFailedError(f"phone B warned of {user.last_contact_day}, the meeting was {day}")
    if score != EXPECTED_SCORE:
        raise StoryFailedError(f"phone B scored {score}, want {EXPECTED_SCORE}")
    return Warning(user.last_contact_day, score)


def require_silence(phone: Phone) -> None:
    """Make sure that a phone checked everything and found nothing.

    Raises:
        StoryFailedError: It warned, or it did not check.
    """
    record = phone.record
    if record.last_check is None or record.last_processed_chunk is None:
        raise StoryFailedError(f"phone C did not check: {record.failure}")
    if not isinstance(record.user, Neutral) or record.summaries:
        raise StoryFailedError("phone C was warned, though it was far away")


def require_frugality(phone: VirtualPhone, export: Export) -> int:
    """Make sure that a phone's database holds no published key, only what it heard.

    Returns:
        The number of identifiers that it heard.

    Raises:
        StoryFailedError: It holds more, or the search itself cannot find anything.
    """
    heard = phone.store.sightings.all()
    if not heard or not all(phone.store.contains_bytes(each.rpi) for each in heard):
        raise StoryFailedError("phone B's database does not show what phone B heard")
    for key in export.keys:
        if phone.store.contains_bytes(key.tek.key_data):
            raise StoryFailedError("phone B's database holds a published key")
    return len(heard)


def require_report(kept: Sequence[KeptReport], *, province: ProvinceCode, day: date) -> KeptReport:
    """Return the one report that must have come of one warning.

    Raises:
        StoryFailedError: None was kept, or several, or one that says something else.
    """
    if len(kept) != 1:
        raise StoryFailedError(f"{len(kept)} reports of a warning were kept, want phone B's alone")
    report = kept[0]
    if (report.platform, report.province, report.contact_day) != (Platform.ANDROID, province, day):
        raise StoryFailedError(f"what phone B reported came out as {report}")
    return report


def require_figure(shown: int | None, *, phones: int) -> None:
    """Make sure that so many phones are shown as notified.

    Raises:
        StoryFailedError: It is another number, or none.
    """
    if shown != phones:
        raise StoryFailedError(f"the figures show {shown} notified phones, want {phones}")
