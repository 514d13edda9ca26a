"""For how long things are kept."""

from dataclasses import dataclass
from datetime import timedelta

from immuni.settings import duration, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionSettings:
    """For how long things are kept; then they are deleted, not archived."""

    retention: timedelta = setting(
        duration("1d", "30d"),
        default=timedelta(days=14),
        meaning="How long uploads are kept from receipt, and chunks from their window's end.",
    )
    analytics_retention: timedelta = setting(
        duration("1d", "400d"),
        default=timedelta(days=30),
        meaning="How long analytics are kept from receipt.",
    )
    figures_retention: timedelta = setting(
        duration("31d", "3660d"),
        default=timedelta(days=730),
        meaning="How long figures that people were shown of analytics are kept.",
    )
