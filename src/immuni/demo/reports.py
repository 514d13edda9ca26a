"""What the Analytics Service has kept of phones that warned, as its own database says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from psycopg import AsyncConnection

from immuni.deployment.configured import read_configured
from immuni.deployment.layout import Layout
from immuni.deployment.settings import DatabaseSettings

_WITH_EXPOSURE: Final = """
    SELECT platform, province, last_risky_exposure_on, received_on FROM analytics.operational_info
    WHERE exposure_notification ORDER BY province
"""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report with exposure; nothing in it tells of which phone.

    Attributes:
        platform: The phone's.
        province: Where its user lives.
        contact_day: The day of the contact that it warned of.
        received_on: The day on which it came.
    """

    platform: str
    province: str
    contact_day: date
    received_on: date


async def reports_with_exposure(layout: Layout) -> Sequence[KeptReport]:
    """Return all of them."""
    url = read_configured(layout.settings_file).of(DatabaseSettings).analytics_database_url
    async with await AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(_WITH_EXPOSURE)
        return [KeptReport(*row) for row in await cursor.fetchall()]
