"""What is shown of analytics."""

from dataclasses import dataclass

from immuni.settings import integer, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class InsightsSettings:
    """What people may see of reports and uploads."""

    k_anonymity: int = setting(
        integer(2, 1000),
        default=10,
        meaning="The smallest count, other than 0, that is shown.",
    )
