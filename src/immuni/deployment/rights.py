"""What each login may do in the databases, in one table: migrations grant it, doctor compares."""

from collections.abc import Mapping
from typing import Final, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

_QUEUE: Final = "INSERT SELECT UPDATE DELETE TRUNCATE"
_JOBS_TABLES: Final = (
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
)
_FIGURES: Final = ("release", "figure", "effective_rate")
_OPEN_DATA: Final = ("privacy_budget", "open_cell")
_INSIGHTS: Final = (
    "counted_day",
    "report_count",
    "notified_count",
    "upload_count",
    "code_count",
    "sampling_rate",
    *_FIGURES,
)
ALLOWED: Final[dict[tuple[str, str], str]] = {
    ("immuni_configuration", "configuration.version"): "SELECT",
    ("immuni_configuration", "configuration.entry"): "SELECT",
    (
        "immuni_settings_author",
        "configuration.version",
    ): "INSERT(approver,author,number,published_at,reason,request_id) SELECT",
    ("immuni_settings_author", "configuration.entry"): "INSERT SELECT",
    ("immuni_otp", "configuration.service_end"): "SELECT",
    ("immuni_ingestion", "configuration.service_end"): "SELECT",
    ("immuni_jobs", "configuration.service_end"): "SELECT",
    ("immuni_jobs", "configuration.sampling_rate"): "SELECT",
    ("immuni_analytics", "analytics.service_end"): "SELECT UPDATE(ends_on)",
    ("immuni_otp", "ingestion.otp"): "INSERT SELECT(expires_at,key_id,keyed_hash,request_digest)",
    ("immuni_ingestion", "ingestion.otp"): "SELECT UPDATE(checked,expires_at,redeemed_digest)",
    (
        "immuni_ingestion",
        "ingestion.upload",
    ): "INSERT(last_end,onset_on,packed_keys,received_on,tested_on)",
    ("immuni_ingestion", "ingestion.outbox"): "INSERT(key_id,received_on,sealed)",
    ("immuni_otp", "ingestion.daily_counter"): "INSERT SELECT UPDATE(count)",
    ("immuni_ingestion", "ingestion.daily_counter"): "INSERT SELECT UPDATE(count)",
    ("immuni_jobs", "ingestion.daily_counter"): "SELECT DELETE",
    ("immuni_reporting", "publishing.chunk"): "SELECT",
    ("immuni_jobs", "ingestion.otp"): "SELECT(expires_at,id) DELETE",
    ("immuni_jobs", "ingestion.upload"): "INSERT SELECT UPDATE DELETE",
    ("immuni_jobs", "ingestion.outbox"): "SELECT DELETE",
    ("immuni_jobs", "publishing.chunk"): "INSERT SELECT DELETE",
    ("immuni_jobs", "publishing.key"): "INSERT SELECT DELETE",
    ("immuni_jobs", "publishing.progress"): "SELECT UPDATE",
    **{("immuni_jobs", f"jobs.{table}"): _QUEUE for table in _JOBS_TABLES},
    ("immuni_analytics", "analytics.epidemiological_info"): "INSERT SELECT DELETE",
    ("immuni_analytics", "analytics.operational_info"): "INSERT SELECT DELETE",
    ("immuni_analytics", "analytics.received"): "INSERT SELECT DELETE",
    ("immuni_analytics", "analytics.salt"): "INSERT SELECT DELETE",
    (
        "immuni_analytics",
        "analytics.authorisation",
    ): "INSERT SELECT UPDATE(claims,due_at,failures,step) DELETE",
    (
        "immuni_analytics",
        "analytics.token",
    ): "INSERT SELECT UPDATE(with_exposure_first,with_exposure_next,without_exposure_first,"
    "without_exposure_next) DELETE",
    **{("immuni_analytics", f"analytics.{table}"): "INSERT SELECT DELETE" for table in _INSIGHTS},
    **{("immuni_analytics", f"analytics.{table}"): "INSERT SELECT" for table in _OPEN_DATA},
    **{("immuni_dashboard", f"analytics.{table}"): "SELECT" for table in (*_FIGURES, *_OPEN_DATA)},
    ("immuni_portal", "public.authority"): "SELECT",
    ("immuni_portal", "public.organisation"): "INSERT SELECT UPDATE",
    ("immuni_portal", "public.audit_event"): "INSERT SELECT",
    (
        "immuni_portal",
        "public.audit_head",
    ): "SELECT UPDATE(events,head_at,head_number,key_id,last_id,mac)",
    ("immuni_portal", "public.audit_checkpoint"): "SELECT",
    ("immuni_portal", "public.operator_account"): "INSERT SELECT UPDATE",
    ("immuni_portal", "public.session"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.known_browser"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.totp"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.passkey"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.recovery_code"): "INSERT SELECT DELETE",
    ("immuni_portal", "public.used_challenge"): "INSERT SELECT DELETE",
    ("immuni_portal", "public.work_day"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.warning"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.stop"): "INSERT SELECT UPDATE",
    ("immuni_portal", "public.settings_draft"): "INSERT SELECT UPDATE DELETE",
    (
        "immuni_portal",
        "public.settings_proposal",
    ): "INSERT SELECT UPDATE(decided_at,decided_by,decision,request_id,state,version)",
    ("immuni_portal", "public.invitation"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.people_import"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.people_import_row"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.provider_identity"): "INSERT SELECT UPDATE DELETE",
    ("immuni_portal", "public.provider_flow"): "INSERT SELECT DELETE",
}
"""What each login may do; whatever is not said is refused."""
HOMES: Final = {
    "immuni_configuration": "immuni",
    "immuni_settings_author": "immuni",
    "immuni_otp": "immuni",
    "immuni_ingestion": "immuni",
    "immuni_reporting": "immuni",
    "immuni_jobs": "immuni",
    "immuni_analytics": "immuni_analytics",
    "immuni_dashboard": "immuni_analytics",
    "immuni_portal": "immuni_portal",
}
"""The one database of ours into which each login gets."""
_FOUND: Final[LiteralString] = """
    SELECT role.rolname, space.nspname || '.' || relation.relname,
           has_table_privilege(role.oid, relation.oid, kind.name), kind.name,
           CASE WHEN kind.by_column THEN (
               SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_attribute
               WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
                 AND has_column_privilege(role.oid, relation.oid, attnum, kind.name)
           ) END
    FROM pg_class AS relation
    JOIN pg_namespace AS space ON space.oid = relation.relnamespace
    CROSS JOIN (SELECT oid, rolname FROM pg_roles WHERE rolname = ANY(%s)) AS role
    CROSS JOIN (VALUES (1, 'INSERT', true), (2, 'SELECT', true), (3, 'UPDATE', true),
                       (4, 'DELETE', false), (5, 'TRUNCATE', false)
    ) AS kind (place, name, by_column)
    WHERE relation.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND space.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY role.rolname, relation.oid, kind.place
"""


async def rights_found(connection: AsyncConnection[TupleRow]) -> dict[tuple[str, str], str]:
    """Return what each login may do with each table of this database, written as in `ALLOWED`.

    Nothing is an empty text, so that every pair is there. Any login may ask.
    """
    found: dict[tuple[str, str], list[str]] = {}
    cursor = await connection.execute(_FOUND, [list(HOMES)])
    async for role, table, whole, right, columns in cursor:
        rights = found.setdefault((role, table), [])
        if whole:
            rights.append(right)
        elif columns:
            rights.append(f"{right}({columns})")
    return {pair: " ".join(rights) for pair, rights in found.items()}


def wrong_rights(found: Mapping[tuple[str, str], str]) -> list[str]:
    """Return each pair of login and table whose rights are not those allowed, in words."""
    return [
        f"{role} may {rights or 'nothing'} on {table}, want {ALLOWED.get((role, table), 'nothing')}"
        for (role, table), rights in found.items()
        if rights != ALLOWED.get((role, table), "")
    ]
