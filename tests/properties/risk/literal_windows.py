"""The v2 risk model, written down sentence by sentence: slow, plain, and on its own.

As in `literal`, nothing comes from `immuni.risk`. Numbers are decimals with digits to spare.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from tests.properties.risk.literal import Heard, day_number

PLENTY = Context(prec=200)
REVOKED, RECURSIVE, UNKNOWN = 5, 4, 0


@dataclass(frozen=True)
class Key:
    """What was heard of one key, and what the key says."""

    report_type: int
    days_since_onset: int | None
    heard: Sequence[Heard]


@dataclass(frozen=True)
class Meaning:
    """What the days and report types of keys count as."""

    infectiousness: Mapping[int, int]
    infectiousness_when_missing: int
    report_type_when_missing: int


@dataclass(frozen=True, order=True)
class Window:
    """A window; each scan is (typical dB, minimum dB, seconds)."""

    day: int
    report_type: int
    infectiousness: int
    confidence: int
    scans: tuple[tuple[int, int, int], ...]


def scans_of(heard: Iterable[Heard]) -> list[list[Heard]]:
    """Scan instances: sightings no more than 25.5 s apart."""
    scans: list[list[Heard]] = []
    for sighting in sorted(heard, key=lambda one: (one.second, one.interval)):
        if scans and (sighting.second - scans[-1][-1].second) * 2 <= 51:
            scans[-1].append(sighting)
        else:
            scans.append([sighting])
    return scans


def scan_instance(scan: Sequence[Heard]) -> tuple[int, int, int]:
    """Typical (mean) and minimum attenuation; 60 · min(5, minutes), 120 s when unknown."""
    total, least, since = 0, scan[0].loss, None
    for sighting in scan:
        total += sighting.loss
        least = min(least, sighting.loss)
        if sighting.since is not None and (since is None or sighting.since > since):
            since = sighting.since
    typical = total // len(scan)
    if (total % len(scan)) * 2 >= len(scan):
        typical += 1
    if since is None:
        return typical, least, 120
    minutes = 0
    while minutes < 5 and since >= 60 * minutes + 30:
        minutes += 1
    return typical, least, 60 * minutes


def infectiousness(key: Key, meaning: Meaning) -> int:
    """Infectiousness from days since onset (29-entry map)."""
    days = key.days_since_onset
    if days is None or days < -14 or days > 14:
        return meaning.infectiousness_when_missing
    return meaning.infectiousness.get(days, 0)


def windows(keys: Iterable[Key], meaning: Meaning) -> list[Window]:
    """Windows of at most 1800 s per key; REVOKED gives nothing; RECURSIVE is ignored."""
    found = []
    for key in keys:
        kind = meaning.report_type_when_missing if key.report_type == UNKNOWN else key.report_type
        if kind in (REVOKED, RECURSIVE):
            continue
        gathered: list[list[list[Heard]]] = []
        for scan in scans_of(key.heard):
            if gathered and scan[0].second - gathered[-1][0][0].second < 1800:
                gathered[-1].append(scan)
            else:
                gathered.append([scan])
        for scans in gathered:
            confidences = [sighting.confidence for scan in scans for sighting in scan]
            found.append(
                Window(
                    day_number(scans[0][0].interval),
                    kind,
                    infectiousness(key, meaning),
                    min(confidences),
                    tuple(sorted(scan_instance(scan) for scan in scans)),
                )
            )
    return sorted(found)


@dataclass(frozen=True)
class Weights:
    """The parameters of daily summaries, all numbers as they are written."""

    thresholds: Sequence[int]
    attenuation: Sequence[str]
    report_type: Mapping[int, str]
    infectiousness: Mapping[int, str]
    minimum: str
    days: int


Sums = tuple[Decimal, Decimal, Decimal]
"""Maximum, sum, weighted duration sum."""


def weighted_duration(window: Window, weights: Weights) -> Decimal:
    """Weighted duration by four attenuation ranges, whose limits belong to the nearer one."""
    total = Decimal()
    for typical, _least, seconds in window.scans:
        place = 0
        for threshold in weights.thresholds:
            if typical > threshold:
                place += 1
        total += PLENTY.multiply(Decimal(seconds), Decimal(weights.attenuation[place]))
    return total


def daily(
    found: Iterable[Window], weights: Weights, today: int
) -> dict[int, dict[int | None, Sums]]:
    """By day, then by report type, None being all: maximum, sum, weighted duration sum."""
    summaries: dict[int, dict[int | None, Sums]] = {}
    for window in found:
        ago = max(0, today - window.day)
        if weights.days > 0 and ago > weights.days:
            continue
        time = weighted_duration(window, weights)
        report = Decimal(weights.report_type.get(window.report_type, "0"))
        degree = Decimal(weights.infectiousness.get(window.infectiousness, "0"))
        score = PLENTY.multiply(PLENTY.multiply(time, report), degree)
        if score == 0 or score < Decimal(weights.minimum):
            continue
        of_day = summaries.setdefault(window.day, {})
        for kind in (None, window.report_type):
            most, total, duration = of_day.get(kind, (Decimal(), Decimal(), Decimal()))
            of_day[kind] = (
                max(most, score),
                PLENTY.add(total, score),
                PLENTY.add(duration, time),
            )
    return summaries
