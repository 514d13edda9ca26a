"""For each alert, figures at which it must go off, and figures at which it must not.

Series are written as Prometheus's tool wants them, a value a minute: ``0+60x90`` begins at nought
and grows by 60 each minute, so by one a second, for 90 minutes. Time begins at nought, too; the
rules are looked at every five minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Series = Mapping[str, str]

_CHECKS: Final = '{endpoint="/v1/ingestion/check-otp",method="POST",status="204"}'
_BROKEN: Final = '{endpoint="/v1/ingestion/check-otp",method="POST",status="503"}'
_OVERRUN: Final = 'immuni_response_overrun_total{endpoint="/v1/ingestion/check-otp"}'
_REQUESTS: Final = f"immuni_http_requests_total{_CHECKS}"
_CALLS_ANSWERED: Final = 'immuni_device_check_calls_total{call="query",result="answered"}'
_CALLS_FAILED: Final = 'immuni_device_check_calls_total{call="query",result="timed_out"}'
_CHECK_LABELS: Final = {"endpoint": "/v1/ingestion/check-otp"}


@dataclass(frozen=True, slots=True)
class Case:
    """One alert's figures.

    Attributes:
        fires: Series at which it goes off.
        at: When it has.
        before: When it has not yet, at the same series.
        silent: Series at which it is silent at the same moment.
        labels: What it says beside its name.
    """

    fires: Series
    at: str
    before: str
    silent: Series
    labels: Mapping[str, str] = field(default_factory=dict)


CASES: Final[Mapping[str, Case]] = {
    "ManyWrongCodes": Case(
        fires={"immuni_ingestion_wrong_codes_total": "0+660x60"},
        before="9m",
        at="30m",
        silent={"immuni_ingestion_wrong_codes_total": "0+540x60"},
    ),
    "UnusualAuthorisations": Case(
        # Twelve warnings an hour, or three.
        fires={'immuni_portal_warnings_total{kind="much"}': "0+0.2x120"},
        before="15m",
        at="90m",
        silent={'immuni_portal_warnings_total{kind="much"}': "0+0.05x120"},
    ),
    "CertificateEndsSoon": Case(
        fires={'immuni_certificate_end_seconds{certificate="server"}': "2591999+0x120"},
        before="30m",
        at="90m",
        silent={'immuni_certificate_end_seconds{certificate="server"}': "2600000+0x120"},
        labels={"certificate": "server"},
    ),
    "RetentionOverdue": Case(
        fires={'immuni_job_last_success_seconds{name="retention"}': "0+0x300"},
        before="3h",
        at="3h5m",
        silent={'immuni_job_last_success_seconds{name="retention"}': "0+60x300"},
    ),
    "JobFailing": Case(
        fires={
            'immuni_job_last_success_seconds{name="outbox"}': "0+0x300",
            'immuni_job_last_success_seconds{name="publish"}': "0+0x300",
        },
        before="3h",
        at="3h5m",
        silent={'immuni_job_last_success_seconds{name="publish"}': "0+0x300"},
        labels={"name": "outbox"},
    ),
    "OutboxGrowing": Case(
        fires={"immuni_outbox_waiting": "10+0x300"},
        before="2h",
        at="4h",
        silent={"immuni_outbox_waiting": "10+0x100 0+0x200"},
    ),
    "IndexStale": Case(
        fires={"immuni_index_complete_seconds": "0+0x60"},
        before="14m",
        at="20m",
        # A restart of the database took nine minutes.
        silent={"immuni_index_complete_seconds": "0+0x9 600+60x60"},
    ),
    "PublishingLate": Case(
        fires={'immuni_job_last_success_seconds{name="publish"}': "0+0x600"},
        before="5h10m",
        at="5h30m",
        # It went well at the end of the window.
        silent={'immuni_job_last_success_seconds{name="publish"}': "0+0x240 14400+0x300"},
    ),
    "KeysOverdue": Case(
        fires={"immuni_publishing_overdue_uploads": "20+0x600"},
        before="4h",
        at="6h",
        silent={"immuni_publishing_overdue_uploads": "20+0x240 0+0x300"},
    ),
    "ChunkStoreFailing": Case(
        fires={
            'immuni_job_failures_total{name="publish",cause="chunk_store"}': "0x10 1 2 3 4+0x60"
        },
        before="11m",
        at="20m",
        silent={
            'immuni_job_failures_total{name="publish",cause="chunk_store"}': "0x10 1+0x60",
            'immuni_job_failures_total{name="publish",cause="database"}': "0x10 1 2 3 4+0x60",
        },
    ),
    "DeviceCheckFailing": Case(
        fires={_CALLS_ANSWERED: "0+40x120", _CALLS_FAILED: "0+60x120"},
        before="25m",
        at="70m",
        silent={_CALLS_ANSWERED: "0+60x120", _CALLS_FAILED: "0+40x120"},
    ),
    "ForeignChunk": Case(
        fires={'immuni_job_failures_total{name="publish",cause="foreign_chunk"}': "0x10 1+0x60"},
        before="9m",
        at="15m",
        silent={'immuni_job_failures_total{name="publish",cause="other"}': "0x10 1+0x60"},
    ),
    "ResponsesOverrun": Case(
        # Fifteen of a thousand each hour; then ten of ten thousand.
        fires={_OVERRUN: "0+1x120", _REQUESTS: "0+200x120"},
        before="5m",
        at="90m",
        silent={_OVERRUN: "0+1x120", _REQUESTS: "0+2000x120"},
        labels=_CHECK_LABELS,
    ),
    "Overloaded": Case(
        fires={"immuni_overload_refusals_total": "0+120x60"},
        before="4m",
        at="20m",
        silent={"immuni_overload_refusals_total": "0+30x60"},
    ),
    "RequestsFailing": Case(
        fires={_REQUESTS: "0+980x60", f"immuni_http_requests_total{_BROKEN}": "0+20x60"},
        before="8m",
        at="30m",
        silent={_REQUESTS: "0+995x60", f"immuni_http_requests_total{_BROKEN}": "0+5x60"},
        labels=_CHECK_LABELS,
    ),
    "DownloadsLarge": Case(
        # A chunk of a megabyte every four hours, or of half of that.
        fires={"immuni_published_bytes_total": "0+4200x1500"},
        before="10h",
        at="24h",
        silent={"immuni_published_bytes_total": "0+2100x1500"},
    ),
    "AuditHeadMissing": Case(
        fires={"immuni_audit_head_seconds": "0+0x300"},
        before="3h",
        at="3h5m",
        silent={"immuni_audit_head_seconds": "0+60x300"},
    ),
    "AuditTrailBroken": Case(
        fires={"immuni_audit_broken": "0x60 1x60"},
        before="1h",
        at="1h5m",
        silent={"immuni_audit_broken": "0x120"},
    ),
}


NOBODY_TELLS: Final = "PublishingLate"
"""The alert that must go off when there are no figures at all."""
