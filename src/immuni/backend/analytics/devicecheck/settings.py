"""What an operator may change about the authorisation of analytics tokens."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from immuni.backend.analytics.devicecheck.steps import Waits
from immuni.settings import SettingsError, duration, integer, path, setting, text

_ID: Final = text(pattern="[A-Z0-9]{0,32}", wanted="capital letters and digits, or nothing")
# In the clear only to this machine: a token of ours must not be read on the way.
_URL: Final = text(
    pattern=r"https://[^\s/]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?",
    wanted="a URL with https and no path; with http on loopback only",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCheckSettings:
    """How Apple is asked whether an analytics token may be authorised."""

    device_check_url: str = setting(
        _URL, default="https://api.devicecheck.apple.com", meaning="Where DeviceCheck answers."
    )
    device_check_key_file: Path | None = setting(
        path(),
        default=None,
        meaning="The private key from Apple (.p8), mode 0600; without it no token is authorised.",
    )
    device_check_key_id: str = setting(_ID, default="", meaning="Apple's id of that key.")
    device_check_team_id: str = setting(_ID, default="", meaning="Apple's id of the developer.")
    device_check_timeout: timedelta = setting(
        duration("100ms", "30s"),
        default=timedelta(seconds=5),
        meaning="How long one call to DeviceCheck may take.",
    )
    max_read_time: timedelta = setting(
        duration("10ms", "1m"),
        default=timedelta(seconds=3),
        meaning="Longest of the random waits between the two looks at a device's bits.",
    )
    check_time: timedelta = setting(
        duration("100ms", "5m"),
        default=timedelta(seconds=13),
        meaning="How long a mark has to stand; at least max_read_time + 2 device_check_timeout.",
    )
    device_check_calls: int = setting(
        integer(1, 1000), default=32, meaning="Calls to DeviceCheck of one process at once."
    )
    max_authorisations: int = setting(
        integer(1, 1_000_000),
        default=20_000,
        meaning="Authorisations that run at once, of all processes; more phones come again.",
    )

    def __post_init__(self) -> None:
        """Refuse waits that let two authorisations miss each other, and half a key.

        Raises:
            SettingsError: At least one is wrong.
        """
        faults = []
        least = self.max_read_time + 2 * self.device_check_timeout
        if self.check_time < least:
            faults.append(
                f"check_time: {self.check_time.total_seconds():g}s is less than max_read_time "
                f"+ 2 device_check_timeout, {least.total_seconds():g}s"
            )
        parts = (self.device_check_key_file, self.device_check_key_id, self.device_check_team_id)
        if any(parts) and not all(parts):
            faults.append(
                "device_check_key_file, device_check_key_id, device_check_team_id: "
                "want all of them or none"
            )
        if faults:
            raise SettingsError(faults)

    @property
    def is_configured(self) -> bool:
        """Whether tokens are authorised at all."""
        return self.device_check_key_file is not None

    @property
    def waits(self) -> Waits:
        """The waits, for the steps."""
        return Waits(self.max_read_time, self.check_time, self.device_check_timeout)
