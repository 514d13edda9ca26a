"""What phones hear, keep and find, for every test of the store."""

import secrets
from datetime import datetime, timedelta

from immuni.crypto import AEM, RPI
from immuni.entropy import SystemEntropy
from immuni.framework.store.results import KeyTag, TaggedWindow
from immuni.keys import TemporaryExposureKey, generate_tek, interval_at
from immuni.matching import Sighting
from immuni.risk import ExposureInfo
from tests.unit.framework.phones import NOON

ADDRESS = bytes.fromhex("010203040506")
EMPTY = {"tek": 0, "broadcast": 0, "sighting": 0, "detection": 0, "exposure": 0, "fact": 0}


def a_sighting(
    seen_at: datetime = NOON,
    *,
    has_aem: bool = True,
    since_scan: timedelta | None = None,
) -> Sighting:
    aem = AEM(secrets.token_bytes(4)) if has_aem else None
    return Sighting(RPI(secrets.token_bytes(16)), aem, -70, seen_at, since_scan)


def some_scans(
    count: int, *, end: datetime = NOON, sightings_each: int = 5, every: timedelta | None = None
) -> list[Sighting]:
    """Return the sightings of scans of the last hours or days, in the order of time."""
    every = timedelta(minutes=5) if every is None else every
    return [
        a_sighting(end - scan * every, since_scan=every)
        for scan in reversed(range(count))
        for _ in range(sightings_each)
    ]


def a_tek(seen_at: datetime = NOON) -> TemporaryExposureKey:
    return generate_tek(interval_at(seen_at), SystemEntropy())


def an_exposure(score: int = 25, *, day: datetime = NOON) -> ExposureInfo:
    return ExposureInfo(
        day=day.date(),
        duration_seconds=1800,
        attenuation_db=54,
        attenuation_durations_seconds=(0, 1800, 0),
        transmission_risk_level=3,
        total_risk_score=score,
    )


def a_tag() -> KeyTag:
    return KeyTag(secrets.token_bytes(16))


def a_window(tag: KeyTag, blob: bytes = b"window", *, day: datetime = NOON) -> TaggedWindow:
    return TaggedWindow(tag, day.date(), blob)
