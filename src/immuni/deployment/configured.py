"""Reading all settings, once, from the environment and a TOML file."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from immuni.backend.analytics.attestation.settings import AttestationSettings
from immuni.backend.analytics.devicecheck.settings import DeviceCheckSettings
from immuni.backend.analytics.insights.settings import InsightsSettings
from immuni.backend.analytics.opendata.settings import OpenDataSettings
from immuni.backend.chunks import ChunkStoreSettings
from immuni.backend.contract import HttpSettings
from immuni.backend.following import FollowingSettings
from immuni.backend.infectiousness import InfectiousnessSettings
from immuni.backend.ingestion.settings import IngestionSettings
from immuni.backend.otp.settings import OtpSettings
from immuni.backend.otp_keys import OtpKeySettings
from immuni.backend.publishing.settings import PublishingSettings
from immuni.backend.reporting.http import ReportingSettings
from immuni.backend.retention import RetentionSettings
from immuni.backend.shaping import ShapingSettings
from immuni.dashboard.early_warning import EarlyWarningSettings
from immuni.dashboard.forecast import ForecastSettings
from immuni.deployment.app_settings import AppSettings
from immuni.deployment.settings import DatabaseSettings, DeploymentSettings
from immuni.portal.audit.settings import AuditSettings
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.oidc.providers import OpenIdSettings
from immuni.portal.settings import PortalSettings
from immuni.settings import (
    ENVIRONMENT_PREFIX,
    SettingsError,
    Source,
    gather,
    read_all,
    settings_of,
)
from immuni.web import ProxySettings

S = TypeVar("S")

ALL_SETTINGS: Final[Sequence[type]] = (
    DeploymentSettings,
    DatabaseSettings,
    HttpSettings,
    ProxySettings,
    ShapingSettings,
    FollowingSettings,
    OtpKeySettings,
    OtpSettings,
    IngestionSettings,
    InfectiousnessSettings,
    AttestationSettings,
    PublishingSettings,
    ChunkStoreSettings,
    ReportingSettings,
    DeviceCheckSettings,
    OpenDataSettings,
    RetentionSettings,
    InsightsSettings,
    PortalSettings,
    LimitSettings,
    AuditSettings,
    OpenIdSettings,
    EarlyWarningSettings,
    ForecastSettings,
    AppSettings,
)
_CONFIG_VARIABLE: Final = ENVIRONMENT_PREFIX + "CONFIG"


@dataclass(frozen=True, slots=True)
class Configured:
    """All settings of a deployment, one value for each settings class."""

    values: Mapping[type, Any]

    @classmethod
    def read(cls, source: Source) -> Self:
        """Read every settings class.

        Raises:
            SettingsError: At least one is wrong; all faults are told.
        """
        return cls(read_all(ALL_SETTINGS, source))

    def of(self, cls: type[S]) -> S:
        """Return the settings of one capability."""
        value: S = self.values[cls]
        return value

    def require(self, names: Collection[str]) -> None:
        """Make sure that settings are set for which no default could be right.

        Raises:
            SettingsError: Some are not; all of them are told.
        """
        missing = {
            declared.name: f"{declared.name}: not set, want {declared.kind.wanted}"
            for cls, value in self.values.items()
            for declared in settings_of(cls)
            if declared.name in names and not getattr(value, declared.name)
        }
        if missing:
            raise SettingsError(list(missing.values()))


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting as people see it; a secret's value is not among what they see."""

    name: str
    value: str
    origin: str
    wanted: str
    meaning: str

    def as_json(self) -> dict[str, str]:
        """Return the same for machines."""
        return {
            "name": self.name,
            "value": self.value,
            "from": self.origin,
            "allowed": self.wanted,
            "meaning": self.meaning,
        }


def read_configured(file: Path | None) -> Configured:
    """Read every setting of the process.

    Raises:
        SettingsError: At least one is wrong; all faults are told.
    """
    return Configured.read(_source(file))


def shown_settings(file: Path | None) -> list[ShownSetting]:
    """Return every setting in force, with where it comes from and what is allowed.

    Raises:
        SettingsError: At least one is wrong; all faults are told.
    """
    source = _source(file)
    values = read_all(ALL_SETTINGS, source)
    shown: dict[str, ShownSetting] = {}
    for cls in ALL_SETTINGS:
        for declared in settings_of(cls):
            value = getattr(values[cls], declared.name)
            text = "(kept secret)" if declared.secret and value else declared.kind.render(value)
            shown[declared.name] = ShownSetting(
                name=declared.name,
                value=text,
                origin=source.origins.get(declared.name, "default"),
                wanted=declared.kind.wanted,
                meaning=declared.meaning,
            )
    return list(shown.values())


def _source(file: Path | None) -> Source:
    # The variable that names the file is not a setting that the file could hold.
    environment = {name: text for name, text in os.environ.items() if name != _CONFIG_VARIABLE}
    return gather(environment, file)
