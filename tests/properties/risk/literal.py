"""The v1 risk model, written down sentence by sentence: slow, plain, and on its own.

Times are seconds, days are numbers, and whatever can be a loop is one. Nothing here comes from
`immuni.risk`, so that a misunderstanding there is not one here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Heard:
    """One sighting: when, how strong, of which identifier."""

    second: Fraction
    loss: int
    rssi: int
    interval: int
    confidence: int
    since: Fraction | None


def seconds(time: timedelta) -> Fraction:
    """Return a length of time in seconds, exact."""
    return Fraction(time // timedelta(microseconds=1), 1_000_000)


def day_number(interval: int) -> int:
    """Return the days from 1970 to the day of a ten-minute interval."""
    return interval * 600 // 86_400


def strongest_of_each_scan(heard: Iterable[Heard]) -> list[Heard]:
    """Per RPI and scan (sightings no more than 25.5 s apart) the strongest RSSI."""
    kept = []
    sightings = list(heard)
    for interval in {sighting.interval for sighting in sightings}:
        of_rpi = [sighting for sighting in sightings if sighting.interval == interval]
        of_rpi.sort(key=lambda sighting: (sighting.second, sighting.loss))
        strongest = of_rpi[0]
        last = of_rpi[0].second
        for sighting in of_rpi[1:]:
            if sighting.second - last > Fraction(51, 2):
                kept.append(strongest)
                strongest = sighting
            elif sighting.rssi > strongest.rssi:
                strongest = sighting
            last = sighting.second
        kept.append(strongest)
    return sorted(kept, key=lambda sighting: (sighting.second, sighting.interval))


def exposures(heard: Iterable[Heard]) -> list[list[Heard]]:
    """An Exposure = a run with gaps of at most 600 s, inside one TEK."""
    found: list[list[Heard]] = []
    for sighting in strongest_of_each_scan(heard):
        if found and sighting.second - found[-1][-1].second <= 600:
            found[-1].append(sighting)
        else:
            found.append([sighting])
    return found


def nearest_300(length: Fraction) -> int:
    """To the nearest multiple of 300 s, halves down."""
    below = 0
    while below + 300 <= length:
        below += 300
    return below + 300 if length - below > 150 else below


def duration(run: Sequence[Heard]) -> int:
    """Duration = last − first + 300 s, to the nearest multiple of 300 s, halves down."""
    return nearest_300(run[-1].second - run[0].second + 300)


def holdings(run: Sequence[Heard]) -> list[tuple[int, Fraction]]:
    """Each sighting's value holds until the next; first and last reach out by 150 s."""
    held = []
    for place, sighting in enumerate(run):
        begins = sighting.second - 150 if place == 0 else sighting.second
        is_last = place == len(run) - 1
        ends = sighting.second + 150 if is_last else run[place + 1].second
        held.append((sighting.loss, ends - begins))
    return held


def mean_attenuation(run: Sequence[Heard]) -> int:
    """Time-weighted, halves up."""
    weighted, total = Fraction(), Fraction()
    for loss, time in holdings(run):
        weighted += loss * time
        total += time
    return floor(weighted / total + Fraction(1, 2))


def times_in_ranges(run: Sequence[Heard], near: int, far: int) -> list[Fraction]:
    """Durations in the three ranges < t0, t0..<t1, ≥ t1."""
    times = [Fraction(), Fraction(), Fraction()]
    for loss, time in holdings(run):
        if loss < near:
            times[0] += time
        elif loss < far:
            times[1] += time
        else:
            times[2] += time
    return times


def attenuation_level(scores: Sequence[int], loss: int) -> int:
    """Attenuation > 73, > 63, > 51, > 33, > 27, > 15, > 10, ≤ 10 dB."""
    for place, limit in enumerate([73, 63, 51, 33, 27, 15, 10]):
        if loss > limit:
            return scores[place]
    return scores[7]


def days_level(scores: Sequence[int], days: int) -> int:
    """Days ≥ 14, 12, 10, 8, 6, 4, 2, 0."""
    for place, least in enumerate([14, 12, 10, 8, 6, 4, 2, 0]):
        if days >= least:
            return scores[place]
    raise AssertionError(days)


def duration_level(scores: Sequence[int], length: int) -> int:
    """Duration 0, ≤ 5, 10, 15, 20, 25, 30, > 30 min."""
    for place, most in enumerate([0, 5, 10, 15, 20, 25, 30]):
        if length <= 60 * most:
            return scores[place]
    return scores[7]


def transmission_level(scores: Sequence[int], level: int) -> int:
    """Transmission level 1..8 → score 0..7 of the table, level 0 → 1."""
    return 1 if level == 0 else scores[level - 1]


@dataclass(frozen=True)
class Tables:
    """The parameters."""

    thresholds: tuple[int, int]
    attenuation: Sequence[int]
    days: Sequence[int]
    duration: Sequence[int]
    transmission: Sequence[int]
    minimum: int


@dataclass(frozen=True)
class Info:
    """What is told of one exposure."""

    day: int
    duration: int
    loss: int
    times: tuple[int, ...]
    level: int
    score: int


def info(run: Sequence[Heard], level: int, tables: Tables, today: int) -> Info:
    """Total Risk Score = the product of four; below `minimum_risk_score` it is 0."""
    day = day_number(run[0].interval)
    score = attenuation_level(tables.attenuation, mean_attenuation(run))
    score *= days_level(tables.days, max(0, today - day))
    score *= duration_level(tables.duration, duration(run))
    score *= transmission_level(tables.transmission, level)
    if score < tables.minimum:
        score = 0
    times = tuple(min(nearest_300(time), 1800) for time in times_in_ranges(run, *tables.thresholds))
    return Info(day, min(duration(run), 1800), mean_attenuation(run), times, level, score)


@dataclass(frozen=True)
class Summary:
    """What is told of all."""

    matched_keys: int
    days: int
    times: tuple[int, ...]
    maximum: int
    total: int


def assessed(
    contacts: Iterable[tuple[int, Sequence[Heard]]], tables: Tables, today: int
) -> tuple[Summary, list[Info]]:
    """Summary: keys, days since the last exposure, maximum, sum, three ranges summed and capped."""
    infos, matched, days, maximum, total = [], 0, 100_000, 0, 0
    times = [Fraction(), Fraction(), Fraction()]
    for level, heard in contacts:
        runs = exposures(heard)
        if runs:
            matched += 1
        for run in runs:
            one = info(run, level, tables, today)
            infos.append(one)
            days = min(days, max(0, today - one.day))
            maximum = max(maximum, one.score)
            total += one.score
            for place, time in enumerate(times_in_ranges(run, *tables.thresholds)):
                times[place] += time
    if not infos:
        days = 0
    capped = tuple(min(nearest_300(time), 1800) for time in times)
    return Summary(matched, days, capped, maximum, total), infos
