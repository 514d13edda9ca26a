"""From single moments of nearness to exposures with a length and a mean."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from immuni.keys import ENIntervalNumber, day_of
from immuni.risk.contact import Sample
from immuni.risk.scans import LONGEST_SCAN_GAP, runs

LONGEST_EXPOSURE_GAP: Final = timedelta(seconds=600)
"""Moments that are further apart belong to different exposures."""
STEP: Final = timedelta(seconds=300)
"""Durations are told in multiples of it."""
SHORTEST_EXPOSURE: Final = STEP
"""What one sighting counts for."""
REACH: Final = SHORTEST_EXPOSURE / 2
"""How far the first and the last value of an exposure reach out."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """A stretch of time near one key's phone.

    Attributes:
        day: UTC day on which it began, by the clock of the phone that was heard.
        duration: In steps of five minutes, uncapped.
        attenuation_db: Time-weighted mean.
        attenuation_durations: Exact time in each of the three ranges of attenuation.
    """

    day: date
    duration: timedelta
    attenuation_db: int
    attenuation_durations: tuple[timedelta, timedelta, timedelta]


def find_exposures(samples: Iterable[Sample], thresholds: tuple[int, ...]) -> list[Exposure]:
    """Return the exposures to the phone of one key, by time.

    Args:
        samples: All of one key, in any order.
        thresholds: The two limits between the ranges of attenuation, in dB.

    Source:
        Risk model v1, "summary and info".
    """
    moments = sorted(_strongest_per_scan(samples), key=lambda moment: (moment.at, moment.interval))
    return [_exposure(run, thresholds) for run in runs(moments, LONGEST_EXPOSURE_GAP)]


def in_steps(duration: timedelta) -> timedelta:
    """Round to the nearest multiple of five minutes, halves down."""
    whole, rest = divmod(duration, STEP)
    return STEP * (whole + (rest > STEP / 2))


def _strongest_per_scan(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield of each scan the strongest sighting of each identifier, the first among equals.

    Where they are equal in time as well, the nearest: the order in which they come tells nothing.
    """
    of_identifier: defaultdict[ENIntervalNumber, list[Sample]] = defaultdict(list)
    for sample in samples:
        of_identifier[sample.interval].append(sample)
    for heard in of_identifier.values():
        for scan in runs(sorted(heard, key=_by_time), LONGEST_SCAN_GAP):
            yield max(scan, key=lambda sample: sample.rssi_dbm)


def _by_time(sample: Sample) -> tuple[datetime, int]:
    return sample.at, sample.attenuation_db


def _exposure(run: Sequence[Sample], thresholds: tuple[int, ...]) -> Exposure:
    held = _held(run)
    near, far = thresholds
    return Exposure(
        day=day_of(run[0].interval),
        duration=in_steps(run[-1].at - run[0].at + SHORTEST_EXPOSURE),
        attenuation_db=_mean(held),
        attenuation_durations=(
            _total(time for loss, time in held if loss < near),
            _total(time for loss, time in held if near <= loss < far),
            _total(time for loss, time in held if loss >= far),
        ),
    )


def _held(run: Sequence[Sample]) -> list[tuple[int, timedelta]]:
    """Return each attenuation and for how long it holds: until the next one is heard."""
    times = [later.at - sooner.at for sooner, later in pairwise(run)]
    times.append(REACH)
    times[0] += REACH
    return [(sample.attenuation_db, time) for sample, time in zip(run, times, strict=True)]


def _mean(held: Sequence[tuple[int, timedelta]]) -> int:
    """Return the time-weighted mean, halves up; exact, as everything stays whole microseconds."""
    weighted = _total(loss * time for loss, time in held)
    total = _total(time for _, time in held)
    return (2 * weighted + total) // (2 * total)


def _total(times: Iterable[timedelta]) -> timedelta:
    return sum(times, timedelta())
