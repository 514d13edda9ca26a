"""From published keys and sightings to what is known of each contact."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from immuni.crypto import AEMK, BluetoothMetadata, CalibrationConfidence, derive_aemk
from immuni.keys import DiagnosisKey, ENIntervalNumber, PackedKeys, ReportType
from immuni.matching.attenuation import attenuation_db, plausible_metadata
from immuni.matching.recognition import Match, recognise
from immuni.matching.sighting import Sighting


@dataclass(frozen=True, slots=True)
class AttenuationSample:
    """How near another phone was at one moment.

    Attributes:
        at: When it was heard.
        attenuation_db: Loss of signal, at least 0.
        rssi_dbm: Received strength, from which the loss was computed.
        interval: The interval of its identifier: samples of one interval heard the same one.
        calibration_confidence: How well the sender knows its transmit power.
        since_scan: Time from the scan before to the one that heard it; None where unknown.
    """

    at: datetime
    attenuation_db: int
    rssi_dbm: int
    interval: ENIntervalNumber
    calibration_confidence: CalibrationConfidence
    since_scan: timedelta | None


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
        keys: In the order of publication, revised keys last; `PackedKeys` take the least time.
        sightings: In any order; `PackedSightings` take the least time.

    Returns:
        Those keys of which a sighting can be scored, in the order of `keys`.

    Complexity:
        144 derivations a key at most, however many sightings there are; some bytes beside what is
        packed already.
    """
    packed = keys if isinstance(keys, PackedKeys) else PackedKeys(keys)
    matched = []
    for place, matches in groupby(recognise(packed, sightings), key=lambda found: found.key_index):
        key = packed[place]
        if samples := [*_samples(derive_aemk(key.tek), matches, sightings)]:
            matched.append(_matched_key(place, key, samples))
    return matched


def _samples(
    aemk: AEMK, matches: Iterable[Match], sightings: Sequence[Sighting]
) -> Iterator[AttenuationSample]:
    """Yield what can be scored of the sightings of one key."""
    for found in matches:
        sighting = sightings[found.sighting_index]
        metadata = plausible_metadata(aemk, sighting.rpi, sighting.aem)
        if metadata is not None:
            yield _sample(metadata, sighting, found.interval)


def _sample(
    metadata: BluetoothMetadata, sighting: Sighting, interval: ENIntervalNumber
) -> AttenuationSample:
    confidence = metadata.calibration_confidence
    return AttenuationSample(
        at=sighting.seen_at,
        attenuation_db=attenuation_db(metadata, rssi_dbm=sighting.rssi_dbm),
        rssi_dbm=sighting.rssi_dbm,
        interval=interval,
        calibration_confidence=CalibrationConfidence.LOWEST if confidence is None else confidence,
        since_scan=sighting.since_scan,
    )


def _matched_key(place: int, key: DiagnosisKey, samples: Sequence[AttenuationSample]) -> MatchedKey:
    return MatchedKey(
        key_index=place,
        report_type=key.report_type,
        transmission_risk_level=key.transmission_risk_level,
        days_since_onset_of_symptoms=key.days_since_onset_of_symptoms,
        samples=tuple(sorted(samples, key=lambda sample: (sample.at, sample.interval))),
    )
