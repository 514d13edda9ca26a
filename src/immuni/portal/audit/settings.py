"""What can be changed about the audit trail without changing code."""

from dataclasses import dataclass
from datetime import timedelta

from immuni.portal.audit.keys import AUDIT_KEYS, AuditKeys
from immuni.settings import duration, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """What chains the audit trail, and for how long it is kept."""

    audit_keys: AuditKeys | None = setting(
        AUDIT_KEYS,
        default=None,
        secret=True,
        meaning="Secrets under which the portal's audit trail is chained; made on the first start "
        "where none is set.",
    )
    audit_retention: timedelta = setting(
        duration("180d", "3650d"),
        default=timedelta(days=730),
        meaning="How long the portal keeps what people did.",
    )
