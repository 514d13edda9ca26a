"""What each job counts, as ``immuni jobs run`` tells it."""

from collections.abc import Mapping
from typing import Final

FIGURES: Final[Mapping[str, Mapping[str, str]]] = {
    "publish": {
        "chunks": "new chunks",
        "keys": "keys in them, those of simulated people included",
        "adopted": "files of an interrupted run that were released now",
        "removed": "files that belonged to no chunk",
        "overlapped": "1 where another publisher was at work, so that this run did nothing",
    },
    "retention": {
        "otps": "expired codes that were deleted",
        "uploads": "uploads that were of no use any longer",
        "outbox": "Epidemiological Info that could not be delivered in all that time",
        "counters": "counters of codes past their time, by day and name",
        "analytics": "analytics past their time",
        "chunks": "chunks past their time",
    },
    "outbox": {"moved": "rows that were moved"},
    "shuffle": {"days": "days whose reports were written anew, in random order"},
    "refresh": {"days": "days of which was decided what is shown"},
    "service-end": {
        "ended": "1 where the service has ended; then what was deleted:",
        "otps": "codes",
        "uploads": "uploads that waited",
        "outbox": "sealed Epidemiological Info that waited",
        "counters": "counters of codes, by day and name",
        "analytics": "analytics",
        "chunks": "chunks, with their keys and files",
    },
    "rescue-stalled": {"rescued": "jobs that were put back into the queue"},
}
"""What each job counts."""
