"""Which published keys were near, and how near: pure computation on the phone."""

from immuni.matching.attenuation import (
    PLAUSIBLE_TX_POWER_DBM,
    attenuation_db,
    plausible_metadata,
)
from immuni.matching.contacts import AttenuationSample, MatchedKey, match
from immuni.matching.index import CLOCK_TOLERANCE_INTERVALS, FoundColumns, SightingIndex
from immuni.matching.packed import PackedSightings
from immuni.matching.recognition import (
    LONGEST_BROADCAST,
    Heard,
    Match,
    places_heard,
    recognise,
)
from immuni.matching.recorded import RecordedSighting, read_preliminary_keys, read_sightings
from immuni.matching.revision import keys_in_force, supersedes
from immuni.matching.sighting import (
    AEM_LENGTH,
    RPI_LENGTH,
    RSSI_RANGE_DBM,
    InvalidSightingError,
    Sighting,
    usable_aem,
)
from immuni.matching.tables import MalformedTableError

__all__ = [
    "AEM_LENGTH",
    "CLOCK_TOLERANCE_INTERVALS",
    "LONGEST_BROADCAST",
    "PLAUSIBLE_TX_POWER_DBM",
    "RPI_LENGTH",
    "RSSI_RANGE_DBM",
    "AttenuationSample",
    "FoundColumns",
    "Heard",
    "InvalidSightingError",
    "MalformedTableError",
    "Match",
    "MatchedKey",
    "PackedSightings",
    "RecordedSighting",
    "Sighting",
    "SightingIndex",
    "attenuation_db",
    "keys_in_force",
    "match",
    "places_heard",
    "plausible_metadata",
    "read_preliminary_keys",
    "read_sightings",
    "recognise",
    "supersedes",
    "usable_aem",
]
