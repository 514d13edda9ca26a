"""Every setting, by capability, from the classes that declare them."""

import inspect
from collections.abc import Mapping
from typing import Final

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
from immuni.deployment.configured import ALL_SETTINGS
from immuni.deployment.settings import DatabaseSettings, DeploymentSettings
from immuni.portal.audit.settings import AuditSettings
from immuni.portal.limits.settings import LimitSettings
from immuni.portal.oidc.providers import OpenIdSettings
from immuni.portal.settings import PortalSettings
from immuni.settings import ENVIRONMENT_PREFIX, Setting, settings_of
from immuni.web import ProxySettings
from scripts.reference.markdown import code, table

_HEADINGS: Final[Mapping[type, str]] = {
    DeploymentSettings: "Deployment",
    DatabaseSettings: "Databases",
    HttpSettings: "HTTP",
    ProxySettings: "Proxies in front",
    ShapingSettings: "Equal answers",
    FollowingSettings: "Following the database",
    OtpKeySettings: "Secrets for codes",
    OtpSettings: "OTP Service",
    IngestionSettings: "Exposure Ingestion",
    InfectiousnessSettings: "Infectiousness",
    AttestationSettings: "Attestation of Android phones",
    PublishingSettings: "Publishing",
    ChunkStoreSettings: "Chunk store",
    ReportingSettings: "Exposure Reporting",
    DeviceCheckSettings: "Authorisation of analytics tokens",
    OpenDataSettings: "Open data",
    RetentionSettings: "Retention",
    InsightsSettings: "Insights",
    PortalSettings: "Portal",
    LimitSettings: "Portal: quotas and warnings",
    AuditSettings: "Audit trail",
    OpenIdSettings: "Sign-in to the portal with OpenID providers",
    EarlyWarningSettings: "Early warning",
    ForecastSettings: "Forecast",
    AppSettings: "App of a Linux device",
}
_HEAD: Final = ("name, and in the environment", "default", "allowed", "meaning")


def settings() -> str:
    """Return a section for each capability that has settings of its own."""
    told: set[str] = set()
    sections: list[str] = []
    for cls in ALL_SETTINGS:
        own = [declared for declared in settings_of(cls) if declared.name not in told]
        told.update(declared.name for declared in own)
        intro = inspect.cleandoc(cls.__doc__ or "").partition("\n")[0]
        sections += [f"## {_HEADINGS[cls]}", intro, table(_HEAD, map(_row, own))]
    return "\n\n".join(sections)


def _row(declared: Setting) -> tuple[str, str, str, str]:
    variable = ENVIRONMENT_PREFIX + declared.name.upper()
    default = declared.kind.render(declared.default)
    meaning = f"{declared.meaning} Kept secret." if declared.secret else declared.meaning
    return (
        f"{code(declared.name)}<br>{code(variable)}",
        code(default) if default else "none",
        declared.kind.wanted,
        meaning,
    )
