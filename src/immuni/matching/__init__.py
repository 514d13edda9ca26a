"""Which published keys were near, and how near: pure computation on the phone."""

from immuni.matching.attenuation import PLAUSIBLE_TX_POWER_DBM, attenuation_db
from immuni.matching.contacts import AttenuationSample, MatchedKey, match
from immuni.matching.recognition import (
    CLOCK_TOLERANCE_INTERVALS,
    LONGEST_BROADCAST,
    Match,
    recognise,
)
from immuni.matching.revision import keys_in_force, supersedes
from immuni.matching.sighting import (
    AEM_LENGTH,
    RPI_LENGTH,
    RSSI_RANGE_DBM,
    InvalidSightingError,
    Sighting,
)

__all__ = [
    "AEM_LENGTH",
    "CLOCK_TOLERANCE_INTERVALS",
    "LONGEST_BROADCAST",
    "PLAUSIBLE_TX_POWER_DBM",
    "RPI_LENGTH",
    "RSSI_RANGE_DBM",
    "AttenuationSample",
    "InvalidSightingError",
    "Match",
    "MatchedKey",
    "Sighting",
    "attenuation_db",
    "keys_in_force",
    "match",
    "recognise",
    "supersedes",
]
