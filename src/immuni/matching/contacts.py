"""From published keys and sightings to what is known of each contact."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from immuni.keys import DiagnosisKey, ENIntervalNumber, ReportType
from immuni.matching.attenuation import attenuation_db
from immuni.matching.recognition import recognise
from immuni.matching.sighting import Sighting


@dataclass(frozen=True, slots=True)
class AttenuationSample:
    """How near another phone was at one moment.

    Attributes:
        at: When it was heard.
        attenuation_db: Loss of signal, at least 0.
        rssi_dbm: Received strength, from which the loss was computed.
        interval: The interval of its identifier: samples of one interval heard the same one.
    """

    at: datetime
    attenuation_db: int
    rssi_dbm: int
    interval: ENIntervalNumber


@dataclass(frozen=True, slots=True)
class MatchedKey:
    """What was heard of one published key's phone.

    Attributes:
        key_index: Place of the key among those that were given.
        report_type: How the diagnosis of its owner became known.
        transmission_risk_level: Level of infectiousness on the key's day, 0..8.
        days_since_onset_of_symptoms: Key's day minus onset, or None.
        samples: By time, at least one.

    Privacy:
        Holds no key and no identifier, so that what is made of it cannot say whom one met.
    """

    key_index: int
    report_type: ReportType
    transmission_risk_level: int
    days_since_onset_of_symptoms: int | None
    samples: tuple[AttenuationSample, ...]


def match(keys: Sequence[DiagnosisKey], sightings: Sequence[Sighting]) -> list[MatchedKey]:
    """Find out which of `keys` was near, and how near.

    A key that stands in `keys` several times counts once, in its best version; a revoked one gives
    nothing. Sightings whose metadata is implausible are dropped.

    Args:
        keys: In the order of publication, revised keys last.
        sightings: In any order.

    Returns:
        Those keys of which a sighting can be scored, in the order of `keys`.

    Complexity:
        144 derivations a key at most, however many sightings there are.
    """
    matches = recognise(
        keys,
        [sighting.rpi for sighting in sightings],
        [sighting.seen_at for sighting in sightings],
    )
    samples: defaultdict[int, list[AttenuationSample]] = defaultdict(list)
    for found in matches:
        tek, sighting = keys[found.key_index].tek, sightings[found.sighting_index]
        loss = attenuation_db(tek, sighting.rpi, sighting.aem, rssi_dbm=sighting.rssi_dbm)
        if loss is not None:
            samples[found.key_index].append(
                AttenuationSample(sighting.seen_at, loss, sighting.rssi_dbm, found.interval)
            )
    return [_matched_key(place, keys[place], samples[place]) for place in sorted(samples)]


def _matched_key(place: int, key: DiagnosisKey, samples: Sequence[AttenuationSample]) -> MatchedKey:
    return MatchedKey(
        key_index=place,
        report_type=key.report_type,
        transmission_risk_level=key.transmission_risk_level,
        days_since_onset_of_symptoms=key.days_since_onset_of_symptoms,
        samples=tuple(sorted(samples, key=lambda sample: (sample.at, sample.interval))),
    )
