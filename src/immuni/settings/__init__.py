"""Typed settings: declared beside what they steer, read in one place, all faults at once.

A capability declares a frozen dataclass whose fields are made by `setting`; the deployment reads
all of them from one `Source` (environment over TOML file over default) and hands the values down.

>>> from dataclasses import dataclass
>>> from datetime import timedelta
>>> @dataclass(frozen=True, slots=True, kw_only=True)
... class OtpSettings:
...     otp_lifetime: timedelta = setting(
...         duration("30s", "1d"),
...         default=timedelta(seconds=150),
...         meaning="How long a code lives after it was authorised.",
...     )
>>> read_settings(OtpSettings, gather({"IMMUNI_OTP_LIFETIME": "3m"}, None)).otp_lifetime
datetime.timedelta(seconds=180)
"""

from immuni.settings.kinds import (
    Kind,
    choice,
    duration,
    flag,
    integer,
    number,
    parse_duration,
    path,
    render_duration,
    text,
    url,
)
from immuni.settings.named_secrets import parse_named_secrets, render_named_secrets
from immuni.settings.reading import (
    ENVIRONMENT_PREFIX,
    Setting,
    SettingsError,
    Source,
    gather,
    read_all,
    read_settings,
    setting,
    settings_of,
)

__all__ = [
    "ENVIRONMENT_PREFIX",
    "Kind",
    "Setting",
    "SettingsError",
    "Source",
    "choice",
    "duration",
    "flag",
    "gather",
    "integer",
    "number",
    "parse_duration",
    "parse_named_secrets",
    "path",
    "read_all",
    "read_settings",
    "render_duration",
    "render_named_secrets",
    "setting",
    "settings_of",
    "text",
    "url",
]
