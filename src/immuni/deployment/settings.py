"""The settings of a deployment as a whole: where things lie, listen and are reached."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from immuni.clock import Clock, MovedClock
from immuni.deployment.layout import Layout
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.settings import SettingsError, choice, integer, path, setting, text

_LEVEL = text(pattern="debug|info|warning|error", wanted="one of debug, info, warning, error")
_DATABASE = text(
    pattern=r"(?:postgres(?:ql)?://\S+)?",
    wanted="a URL of the form postgresql://user:password@host/name",
)
_WORLD = "world.localhost"
_URL = text(pattern=r"(?:https?://\S+)?", wanted="a URL that begins with https:// or http://")


class LogFormat(StrEnum):
    """How a log line is written."""

    JSON = "json"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentSettings:
    """What every process needs to know about where it is."""

    data_dir: Path | None = setting(
        path(), default=Path("var"), meaning="The folder that holds keys, certificates and chunks."
    )
    bind_host: str = setting(
        text(pattern=r"[0-9A-Za-z.:\-]+", wanted="an address or a host name"),
        default=LOOPBACK,
        meaning="The address on which servers listen.",
    )
    base_port: int = setting(
        integer(1, 65522), default=8400, meaning="The first of fourteen neighbouring ports."
    )
    log_level: str = setting(_LEVEL, default="info", meaning="The least important level logged.")
    log_format: LogFormat = setting(
        choice(LogFormat), default=LogFormat.JSON, meaning="How log lines are written."
    )
    get_url: str = setting(_URL, default="", meaning="Where phones get settings and chunks.")
    upload_url: str = setting(_URL, default="", meaning="Where phones check codes and upload.")
    analytics_url: str = setting(_URL, default="", meaning="Where phones send analytics.")
    otp_url: str = setting(_URL, default="", meaning="Where the portal reaches the OTP Service.")
    settings_url: str = setting(
        _URL, default="", meaning="Where the portal reaches who publishes settings for phones."
    )
    portal_url: str = setting(_URL, default="", meaning="Where operators open the portal.")
    demonstration_clock: Path | None = setting(
        path(),
        default=None,
        meaning="Demonstrations only, on loopback: the file that says how far the clock is ahead.",
    )

    @property
    def layout(self) -> Layout:
        """The data folder."""
        return Layout((self.data_dir or Path("var")).resolve())

    @property
    def ports(self) -> Ports:
        """The ports of the roles."""
        return Ports(self.base_port)

    def clock(self, machine: Clock) -> Clock:
        """Return the clock of this deployment's processes: the machine's, but in a demonstration.

        Raises:
            SettingsError: A demonstration's clock is wanted where others can reach the services.
        """
        if self.demonstration_clock is None:
            return machine
        if self.bind_host != LOOPBACK:
            fault = f"only with bind_host {LOOPBACK}: nobody's real keys may meet a moved clock"
            raise SettingsError([f"demonstration_clock: {fault}"])
        return MovedClock(self.demonstration_clock, machine)

    def url_of(self, role: Role) -> str:
        """Return where a role is reached: as configured, else on loopback."""
        configured = {
            Role.GET: self.get_url,
            Role.UPLOAD: self.upload_url,
            Role.ANALYTICS: self.analytics_url,
            Role.OTP: self.otp_url,
            Role.SETTINGS: self.settings_url,
            Role.PORTAL: self.portal_url,
        }.get(role, "")
        return configured or loopback_url(role, self.ports)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """Each service logs in to PostgreSQL with a role of its own."""

    configuration_database_url: str = setting(
        _DATABASE, default="", meaning="Database of the App Configuration Service.", secret=True
    )
    settings_author_database_url: str = setting(
        _DATABASE,
        default="",
        meaning="Database of the App Configuration Service, as who may publish settings.",
        secret=True,
    )
    otp_database_url: str = setting(
        _DATABASE, default="", meaning="Database of the OTP Service.", secret=True
    )
    ingestion_database_url: str = setting(
        _DATABASE, default="", meaning="Database of Exposure Ingestion.", secret=True
    )
    reporting_database_url: str = setting(
        _DATABASE, default="", meaning="Database of Exposure Reporting.", secret=True
    )
    jobs_database_url: str = setting(
        _DATABASE, default="", meaning="Database of the periodic jobs.", secret=True
    )
    analytics_database_url: str = setting(
        _DATABASE, default="", meaning="Database of the Analytics Service.", secret=True
    )
    dashboard_database_url: str = setting(
        _DATABASE,
        default="",
        meaning="Database of the Analytics Service, as who may read figures that are shown.",
        secret=True,
    )
    portal_database_url: str = setting(
        _DATABASE, default="", meaning="Database of the portal.", secret=True
    )


def loopback_url(role: Role, ports: Ports) -> str:
    """Return the address of a role on this machine, under the name that it has in a browser."""
    if role in (Role.PORTAL, Role.DASHBOARD):
        return f"http://{role}.localhost:{ports.of(role)}"
    scheme = "https" if role in (Role.OTP, Role.SETTINGS) else "http"
    return f"{scheme}://{LOOPBACK}:{ports.of(role)}"


def nginx_url(ports: Ports) -> str:
    """Return the address of nginx in front of the public hosts; their paths tell them apart."""
    return f"http://{LOOPBACK}:{ports.nginx}"


def apple_url(ports: Ports) -> str:
    """Return the address of the stand-in for Apple's DeviceCheck."""
    return f"http://{LOOPBACK}:{ports.apple}"


def phone_name(number: int) -> str:
    """Return the name of phone `number`, counted from 0."""
    return f"phone-{chr(ord('a') + number)}"


def phone_url(number: int, ports: Ports) -> str:
    """Return the address of the App of phone `number`, counted from 0.

    Each phone has a name of its own, for browsers share cookies among the ports of a name. It
    lies below the world's: for browsers both are one site, so that a frame there keeps the
    phone's cookies, and still two origins, which cannot read each other.
    """
    return f"http://{phone_name(number)}.{_WORLD}:{ports.of_phone(number)}"


def world_url(ports: Ports) -> str:
    """Return the address of the page on which the virtual phones are moved about."""
    return f"http://{_WORLD}:{ports.world}"
