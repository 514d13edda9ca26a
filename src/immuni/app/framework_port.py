"""What the App asks of exposure notifications, wherever they live."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from immuni.framework import Question, Status
from immuni.keys import TemporaryExposureKey
from immuni.risk import ExposureConfiguration, ExposureDetectionSummary, ExposureInfo


class Framework(Protocol):
    """The framework's face, as `ExposureNotificationFramework` in this process has it.

    On a Linux device it lives in a daemon, which `immuni.device.RemoteFramework` asks.
    """

    def status(self) -> Status:
        """Return whether exposure notifications work, with every reason why not."""
        ...

    async def authorise(self) -> None:
        """Note that the user allows the App to use exposure notifications."""
        ...

    async def start(self) -> None:
        """Broadcast and listen, as soon as nothing stands in the way."""
        ...

    async def stop(self) -> None:
        """Broadcast and listen no more."""
        ...

    async def pause(self, *, until: datetime | None = None) -> None:
        """Fall silent until an instant, or until told to resume."""
        ...

    async def resume(self) -> None:
        """End a pause."""
        ...

    async def detect_exposures(
        self, exports: Sequence[bytes], configuration: ExposureConfiguration
    ) -> ExposureDetectionSummary:
        """Match `exports` and score by the first model."""
        ...

    async def exposure_info(self, tell: Question) -> list[ExposureInfo]:
        """Return the exposures of the last detection that found any, once the user was told."""
        ...

    async def tek_history(self, consent: Question) -> list[TemporaryExposureKey]:
        """Return the device's keys of the last 14 days, with the user's consent."""
        ...

    async def trust_clock(self) -> None:
        """Believe the clock although it was turned back."""
        ...

    async def stored(self) -> dict[str, int]:
        """Return how much of each kind the device stores."""
        ...

    async def delete_everything(self) -> None:
        """Fall silent and destroy all that is stored."""
        ...

    async def close(self) -> None:
        """Give back what is held here."""
        ...
