"""What the dashboard is made with beside the figures."""

from dataclasses import dataclass

from immuni.dashboard.early_warning import EarlyWarningSettings
from immuni.dashboard.forecast import ForecastSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardSettings:
    """What forecasts and warnings are made with."""

    forecast: ForecastSettings
    early_warning: EarlyWarningSettings
