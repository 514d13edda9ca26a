"""What ``immuni doctor`` and ``immuni decommission`` print with ``--json``."""

from collections.abc import Mapping
from typing import Final

from scripts.reference.told import Answer, Told

LOOKING: Final[Mapping[str, Told]] = {
    "doctor": Told(
        exit_codes={
            1: "something is wrong",
            78: "some settings are wrong, or no system was ever started in the data folder",
        },
        answers=(
            Answer(
                lambda: {
                    "healthy": False,
                    "checks": ["keys", "certificates", "disk", "services' database", "…"],
                    "findings": [
                        {
                            "check": "jobs",
                            "fault": "3 jobs have waited for more than an hour",
                            "remedy": "start the role jobs; see its log",
                        }
                    ],
                    "holdings": [
                        {
                            "kind": "codes",
                            "count": "<10",
                            "oldest_gone_by": "2026-11-20T13:00+00:00",
                            "all_gone_by": "2026-11-20T14:00+00:00",
                        }
                    ],
                },
                {
                    "healthy": "whether nothing is wrong",
                    "checks[]": "what was looked at",
                    "findings[].check": "where something is wrong",
                    "findings[].fault": "what, for people",
                    "findings[].remedy": "what to do, for people",
                    "holdings[].kind": "what is held",
                    "holdings[].count": "how much; `<10` for one to nine",
                    "holdings[].oldest_gone_by": "when the first of it has to be gone, to the "
                    "hour; null where there is none",
                    "holdings[].all_gone_by": "when all of it has to be, were nothing added",
                },
            ),
        ),
    ),
    "decommission": Told(
        exit_codes={
            1: "something is left, the last day has not come, or the answer to the question was no",
            78: "some settings are wrong, or no system was ever started in the data folder",
        },
        answers=(
            Answer(
                lambda: {
                    "nothing_left": False,
                    "ended_on": "2026-12-31",
                    "tables": [
                        {"database": "services", "table": "ingestion.upload", "rows": 0},
                        {"database": "analytics", "table": "analytics.received", "rows": 0},
                    ],
                    "chunk_files": 0,
                    "removed": ["chunks", "keys/export-222-v1.key"],
                    "left": ["phones/a/keys.db"],
                    "kept": [{"what": "analytics.service_end", "why": "the last day"}],
                    "to_do": ["delete backups, replicas and archived write-ahead logs …"],
                },
                {
                    "nothing_left": "whether `left` is empty",
                    "ended_on": "from which day on there is no service; null where some phone is "
                    "told none",
                    "tables[].database": "`services`, `analytics` or `portal`",
                    "tables[].table": "a table that has to be empty",
                    "tables[].rows": "how many rows there are; null where the login may not look",
                    "chunk_files": "files in the chunk store",
                    "removed[]": "what this run removed in the data folder",
                    "left[]": "what is left, for people",
                    "kept[].what": "a table, a schema or the beginning of a table's name that "
                    "remains on purpose",
                    "kept[].why": "why, for people",
                    "to_do[]": "what only an administrator can do, for people",
                },
            ),
        ),
    ),
}
