"""Answers phones that ask for the authorisation of their analytics token."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from immuni.api import AnalyticsToken
from immuni.backend.analytics.devicecheck.settings import DeviceCheckSettings
from immuni.backend.analytics.devicecheck.store import authorised_or_started
from immuni.backend.analytics.rules import first_of_month
from immuni.backend.analytics.store import token_hash
from immuni.clock import Clock
from immuni.database import Pool


async def authorise_none(group: Sequence[AnalyticsToken]) -> list[bool]:
    """Authorise none of a group, where nothing can tell genuine phones."""
    return [False] * len(group)


def _nothing(_seconds: float) -> None:
    """Wake nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tells which tokens are authorised, and starts what authorises the others.

    Attributes:
        pool: The analytics database.
        settings: Whether anything is started, and how much.
        clock: Tells the day.
        wake: Told when something was started.
    """

    pool: Pool
    settings: DeviceCheckSettings
    clock: Clock
    wake: Callable[[float], None] = field(default=_nothing)

    async def __call__(self, group: Sequence[AnalyticsToken]) -> list[bool]:
        """Tell for each token of a group whether it is authorised.

        Raises:
            UnavailableError: The database does not answer.
        """
        asked = {token_hash(each.analytics_token): bytes(each.device_token) for each in group}
        now = self.clock.now()
        # One that ran into the next month would use up the device's next month for nothing.
        has_time = first_of_month((now + self.settings.waits.longest).date()) == first_of_month(
            now.date()
        )
        starts = self.settings.is_configured and has_time
        authorised = await authorised_or_started(
            self.pool,
            asked,
            today=now.date(),
            max_running=self.settings.max_authorisations if starts else None,
        )
        if starts and len(authorised) < len(asked):
            self.wake(0)
        return [token_hash(each.analytics_token) in authorised for each in group]
