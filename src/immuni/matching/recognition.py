"""Finding the identifiers of published keys among those that were heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from immuni import _core
from immuni.crypto import RPI
from immuni.keys import DiagnosisKey, ENIntervalNumber, interval_at
from immuni.matching.revision import keys_in_force

CLOCK_TOLERANCE_INTERVALS: Final = 12
"""Two hours by which the clocks of two phones may differ."""
LONGEST_BROADCAST: Final = timedelta(seconds=1200)
"""No phone broadcasts one identifier for longer: what comes later is a replay."""


@dataclass(frozen=True, slots=True)
class Match:
    """A heard identifier that a published key generated.

    Attributes:
        key_index: Place of the key among those that were given.
        sighting_index: Place of the sighting among those that were given.
        interval: The interval for which the key generated the identifier.
    """

    key_index: int
    sighting_index: int
    interval: ENIntervalNumber


def recognise(
    keys: Sequence[DiagnosisKey], rpis: Sequence[RPI], seen_at: Sequence[datetime]
) -> list[Match]:
    """Find the sightings of the identifiers of `keys`.

    A sighting counts when it was heard within two hours of the interval of its identifier, and no
    more than twenty minutes after the first such sighting of that identifier.

    Args:
        keys: In the order of publication, revised keys last.
        rpis: The identifier of each sighting; they may repeat.
        seen_at: When each was heard, aware.

    Returns:
        The matches, by key, then by place of the sighting.

    Complexity:
        One derivation for each interval of each key, one look-up for each identifier derived.
    """
    in_force = keys_in_force(keys)
    places = list(in_force)
    teks = [key.tek for key in in_force.values()]
    found = _core.match_keys(
        b"".join(tek.key_data for tek in teks),
        [tek.rolling_start_number for tek in teks],
        [tek.rolling_period for tek in teks],
        b"".join(rpis),
        [interval_at(instant) for instant in seen_at],
        CLOCK_TOLERANCE_INTERVALS,
    )
    matches = [
        Match(places[key], sighting, ENIntervalNumber(interval))
        for key, sighting, interval in found
    ]
    return _without_replays(matches, seen_at)


def _without_replays(matches: Sequence[Match], seen_at: Sequence[datetime]) -> list[Match]:
    """Drop what was heard too long after the first valid sighting of the same identifier."""
    first: dict[tuple[int, ENIntervalNumber], datetime] = {}
    for match in matches:
        identifier = (match.key_index, match.interval)
        heard = seen_at[match.sighting_index]
        first[identifier] = min(heard, first.get(identifier, heard))
    return [
        match
        for match in matches
        if seen_at[match.sighting_index] - first[match.key_index, match.interval]
        <= LONGEST_BROADCAST
    ]
