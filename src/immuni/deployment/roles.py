"""The processes of a running system and the ports on which they answer."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LOOPBACK: Final = "127.0.0.1"


class Role(StrEnum):
    """What one process does."""

    GET = "get"
    UPLOAD = "upload"
    ANALYTICS = "analytics"
    OTP = "otp"
    PORTAL = "portal"
    JOBS = "jobs"
    PHONES = "phones"
    DASHBOARD = "dashboard"
    SETTINGS = "settings"


MEANINGS: Final = {
    Role.GET: "App Configuration, Exposure Reporting, texts: settings, chunk index, chunks, FAQ",
    Role.UPLOAD: "Exposure Ingestion: check of a code, upload",
    Role.ANALYTICS: "Analytics: tokens, Operational Info",
    Role.OTP: "OTP Service, over mutual TLS",
    Role.PORTAL: "HIS, the Healthcare Operators' portal",
    Role.JOBS: "publishing, retention and the other periodic jobs; metrics",
    Role.PHONES: "two virtual phones with their App, and the page of the world that they are in",
    Role.DASHBOARD: "insights: what may be shown of analytics",
    Role.SETTINGS: "App Configuration's internal side, over mutual TLS: settings are published",
}
_BEHIND_THE_PHONES: Final = {Role.DASHBOARD: 11, Role.SETTINGS: 12}
"""Places of roles; those between are of parts that are none."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Fourteen neighbouring ports; each part has its own place among them.

    Attributes:
        base: The first of them.
    """

    base: int

    def of(self, role: Role) -> int:
        """Return the port on which a role answers; for the jobs, that of the metrics."""
        return self.base + _BEHIND_THE_PHONES.get(role, list(Role).index(role))

    def of_phone(self, number: int) -> int:
        """Return the port of a phone's App, counted from 0."""
        return self.of(Role.PHONES) + number

    @property
    def nginx(self) -> int:
        """The port of nginx, where it stands in front of the public hosts."""
        return self.base + 8

    @property
    def postgres(self) -> int:
        """The port of the embedded PostgreSQL, where a socket cannot be used."""
        return self.base + 9

    @property
    def apple(self) -> int:
        """The port of the stand-in for Apple's DeviceCheck."""
        return self.base + 10

    @property
    def world(self) -> int:
        """The port of the page on which the virtual phones are moved about."""
        return self.base + 13

    def all(self, *, phones: int, nginx: bool = False) -> list[int]:
        """Return every port that servers will bind."""
        servers = [self.of(role) for role in Role if role is not Role.PHONES]
        front = [self.nginx] if nginx else []
        people = [self.of_phone(number) for number in range(phones)]
        people += [self.world] if phones else []
        return servers + people + front + [self.apple]
