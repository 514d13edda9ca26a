"""What ``immuni opendata`` prints with ``--json``."""

from collections.abc import Mapping
from typing import Final

from scripts.reference.told import Answer, Told

_WRONG_SETTINGS: Final = (
    "`analytics_database_url` is not set, another setting is wrong, or no system was ever started "
    "in the data folder"
)
_HEAD: Final = {"month": "2026-10", "epsilon": 1.0, "charged_on": "2026-11-02"}
_HEAD_MEMBERS: Final = {
    "month": "the month",
    "epsilon": "what its release cost of the privacy of each phone in that month",
    "charged_on": "day of the charge, in UTC",
}

OPEN_DATA: Final[Mapping[str, Told]] = {
    "opendata release": Told(
        exit_codes={
            1: "the month is not over, not counted or too old, it was charged and its release was "
            "killed, another release is under way, or the database does not answer",
            78: _WRONG_SETTINGS,
        },
        answers=(
            Answer(
                lambda: _HEAD | {"cells": 648},
                _HEAD_MEMBERS | {"cells": "number of cells, the same every month"},
            ),
        ),
    ),
    "opendata show": Told(
        exit_codes={
            1: "nothing was released, or the database does not answer",
            78: _WRONG_SETTINGS,
        },
        answers=(
            Answer(
                lambda: (
                    _HEAD
                    | {
                        "rows": [
                            {
                                "level": "province",
                                "place": "MI",
                                "platform": "ios",
                                "kind": "healthy",
                                "reports": 1031,
                                "noise_deviation": 2.8,
                            }
                        ]
                    }
                ),
                _HEAD_MEMBERS
                | {
                    "rows[].level": "`province`, `abroad`, `region` or `country`",
                    "rows[].place": "code of a province or of abroad, name of a region, or `all`",
                    "rows[].platform": "`ios`, `android` or `all`",
                    "rows[].kind": "`healthy` (all permissions and Bluetooth on) or `impaired`: "
                    "reports without exposure; `notified`: with exposure",
                    "rows[].reports": "number of reports with noise; may be negative",
                    "rows[].noise_deviation": "standard deviation of the noise in it",
                },
            ),
        ),
        note="The columns of the CSV are `month` and the members of a row.",
    ),
    "opendata budget": Told(
        exit_codes={1: "the database does not answer", 78: _WRONG_SETTINGS},
        answers=(
            Answer(
                lambda: [_HEAD | {"published": True}],
                {f"[].{name}": meaning for name, meaning in _HEAD_MEMBERS.items()}
                | {
                    "[].published": "whether there is a result; if not, the release was killed "
                    "after its charge, and there never will be"
                },
            ),
        ),
    ),
}
