"""Entropy that a test decides, and memories to begin with."""

from datetime import UTC, datetime, timedelta

from immuni.api import ConfigurationSettings
from immuni.app.analytics.memory import AnalyticsMemory, MonthlyMoment
from immuni.app.analytics.months import month_of
from immuni.entropy import SeededEntropy

INSTALLED = datetime(2020, 6, 1, 9, tzinfo=UTC)
NOON = datetime(2020, 6, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ALWAYS = ConfigurationSettings(
    operational_info_with_exposure_sampling_rate=1.0,
    operational_info_without_exposure_sampling_rate=1.0,
)
NEVER = ConfigurationSettings(
    operational_info_with_exposure_sampling_rate=0.0,
    operational_info_without_exposure_sampling_rate=0.0,
)


class Drawing(SeededEntropy):
    """Draws the share of each span that it is told, and waits of so many means."""

    def __init__(self, share: float = 0.5, means: float = 1.0) -> None:
        """Draw the same again and again."""
        super().__init__("drawing")
        self.share = share
        self.means = means

    def uniform(self, low: float, high: float) -> float:
        """Return the share of the span."""
        return low + (high - low) * self.share

    def exponential(self, mean: float) -> float:
        """Return so many means."""
        return mean * self.means


def a_memory(
    *,
    installed_at: datetime = INSTALLED,
    moment: datetime | None = None,
    dummy_from: datetime = NOON + 365 * DAY,
) -> AnalyticsMemory:
    """Return the memory of a phone that has drawn; of the dummy, far away."""
    at = moment or NOON + 2 * DAY
    return AnalyticsMemory(
        installed_at=installed_at,
        moment=MonthlyMoment(month=month_of(at), at=at),
        dummy_from=dummy_from,
    )
