"""What has happened, in plain words, and what nobody learnt of it. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from immuni.app.state import AtRisk
from immuni.world.place import Place
from immuni.world.sight import PhoneSeen, WorldSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened.

    Attributes:
        at: When, by the clock of this world.
        who: Whose doing it was: a phone's label, "servers", "operator" or "world".
        text: What happened.
        unlearnt: What nobody learnt of it, empty where that goes without saying.
    """

    at: datetime
    who: str
    text: str
    unlearnt: str = ""


def news(before: WorldSeen, after: WorldSeen, *, after_a_while: bool = False) -> list[Entry]:
    """Return what happened between two moments, in an order that makes sense.

    Args:
        before: The earlier moment.
        after: The later one.
        after_a_while: Whether hours have passed: then it is summed up what was heard. Otherwise
            only the first time is told, for it goes on again and again.
    """
    pairs = list(zip(before.phones, after.phones, strict=True))
    return [
        entry
        for happened in (
            _heard(before, after, after_a_while=after_a_while),
            _unheard(before, after, after_a_while=after_a_while),
            *(_told(was, now, after) for was, now in pairs),
            _published(before, after),
            *(_checked(was, now, after) for was, now in pairs),
        )
        for entry in happened
    ]


def without_repetition(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Return the same entries; what nobody learnt is told with the first of those it holds for."""
    told = set[str]()
    for entry in entries:
        yield replace(entry, unlearnt="") if entry.unlearnt in told else entry
        told.add(entry.unlearnt)


def _heard(before: WorldSeen, after: WorldSeen, *, after_a_while: bool) -> Iterator[Entry]:
    heard = [
        (now.label, now.scans - was.scans, now.identifiers - was.identifiers)
        for was, now in zip(before.phones, after.phones, strict=True)
        if now.scans > was.scans and (after_a_while or was.scans == 0)
    ]
    if not heard:
        return
    counts = ", ".join(
        f"{label} in {_count(scans, 'scan')}, under {_count(different, 'new identifier')}"
        for label, scans, different in heard
    )
    yield Entry(
        at=after.now,
        who="world",
        text=f"The phones heard each other: {counts}. Identifiers change every 10 to 20 minutes.",
        unlearnt="Who was met, or where: identifiers are random numbers to everybody. What was "
        "heard stays on the phone, encrypted, for 14 days. No server was told.",
    )


def _unheard(before: WorldSeen, after: WorldSeen, *, after_a_while: bool) -> Iterator[Entry]:
    """Tell why phones that lay near each other did not hear each other."""
    pairs = list(zip(before.phones, after.phones, strict=True))
    if not after_a_while or after.place is Place.TOWN:
        return
    if any(now.scans > was.scans for was, now in pairs):
        return
    reasons = [f"phone {now.label} {_silence(now)}" for now in after.phones if _silence(now)]
    if reasons:
        yield Entry(
            at=after.now,
            who="world",
            text=f"The phones did not hear each other: {' and '.join(reasons)}.",
        )


def _silence(phone: PhoneSeen) -> str:
    """Return why a phone neither sends nor hears; nothing if it does."""
    if not phone.is_set_up:
        return "is not set up"
    if not phone.has_bluetooth:
        return "has Bluetooth off"
    if phone.is_paused:
        return "takes a pause"
    return ""


def _told(was: PhoneSeen, now: PhoneSeen, after: WorldSeen) -> Iterator[Entry]:
    """Tell what the user of a phone did."""
    if now.is_set_up and not was.is_set_up:
        yield _entry(
            now,
            after,
            "is set up: from now on it broadcasts identifiers, made from a new random key each "
            "day, and listens for others.",
            "Any name, number or place: there is no account.",
        )
    if was.is_set_up and not now.is_set_up:
        yield _entry(now, after, "has destroyed everything that it stored, and begins anew.")
    yield from _reported(was, now, after)
    if now.is_paused is not was.is_paused:
        pause = "takes a pause: it neither sends nor hears." if now.is_paused else "goes on."
        yield _entry(now, after, pause)
    if was.is_positive and not now.is_positive:
        yield _entry(now, after, "knows that its user has recovered.")
    if was.is_at_risk and not now.is_at_risk and not now.is_positive:
        yield _entry(
            now, after, "no longer shows the warning: its time is over, or its user has seen to it."
        )


def _reported(was: PhoneSeen, now: PhoneSeen, after: WorldSeen) -> Iterator[Entry]:
    """Tell how far its user has come with a positive result."""
    if now.code is not None and now.code != was.code:
        yield _entry(
            now,
            after,
            "shows a code, which whoever tested positive dictates to an operator.",
            "Anything yet: the code is random, and stands on this screen only.",
        )
    if now.is_code_checked and not was.is_code_checked:
        yield _entry(
            now,
            after,
            "asked the servers whether the code is authorised: it is.",
            "Anything from watching the line: the question is as large as an upload, to the byte.",
        )
    if now.is_positive and not was.is_positive:
        yield _entry(
            now,
            after,
            "uploaded its daily keys, with its user's consent. Each waits until no phone accepts "
            "it any longer; today's until tomorrow, two hours after midnight UTC.",
            "Who it was, or whom they met: keys are random numbers, and no identifier that the "
            "phone heard is ever sent.",
        )


def _published(before: WorldSeen, after: WorldSeen) -> Iterator[Entry]:
    if after.chunk <= before.chunk:
        return
    chunks = after.chunk - before.chunk
    yield Entry(
        at=after.now,
        who="servers",
        text=f"The servers published {_count(chunks, 'chunk')} of keys, signed: "
        f"number {after.chunk} is the newest.",
        unlearnt="Which keys belong together: they are sorted as random numbers, among those of "
        "simulated people. Every phone downloads the same files.",
    )


def _checked(was: PhoneSeen, now: PhoneSeen, after: WorldSeen) -> Iterator[Entry]:
    if now.chunk <= was.chunk:
        return
    if isinstance(now.user, AtRisk) and not was.is_at_risk:
        day = _day(now.user.last_contact_day)
        yield _entry(
            now,
            after,
            f"found keys in chunk {now.chunk} that belong to identifiers which it heard. It "
            f"computed the risk, and warns its user of a contact on {day}.",
            "Who was met, or which phone this is: it found out by itself. Whether it reports that "
            "it warned, no one who watches can see: phones that warned nobody send the same.",
        )
    elif now.is_positive:
        yield _entry(
            now,
            after,
            f"downloaded chunk {now.chunk} as every phone does. There is nothing to warn its "
            "user of.",
        )
    else:
        yield _entry(
            now,
            after,
            f"downloaded chunk {now.chunk}, checked its signature and compared it with what it "
            "heard: no reason to warn.",
            "Whether anything matched: every phone downloads everything.",
        )


def _entry(phone: PhoneSeen, after: WorldSeen, text: str, unlearnt: str = "") -> Entry:
    return Entry(
        at=after.now, who=phone.label, text=f"Phone {phone.label} {text}", unlearnt=unlearnt
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
