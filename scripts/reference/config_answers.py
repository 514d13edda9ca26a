"""What ``immuni config`` prints with ``--json``."""

from collections.abc import Mapping
from typing import Final

from scripts.reference.told import Answer, Told

_UNREACHABLE: Final = {
    1: "there is no such setting, version or draft, or the database does not answer",
    78: "`settings_author_database_url` is not set, or another setting is wrong",
}
_CHANGES: Final = Answer(
    lambda: {
        "in_force": 12,
        "based_on": 12,
        "changes": [
            {
                "name": "minimum_build_version",
                "platform": "android",
                "from_build": 1,
                "before": {"withdrawn": False, "value": 100},
                "after": {"withdrawn": False, "value": 120},
            }
        ],
    },
    {
        "in_force": "version in force; 0 where nothing was published yet",
        "based_on": "version on which the draft was begun",
        "changes[].name": "name of the setting",
        "changes[].platform": "`ios` or `android`",
        "changes[].from_build": "first build that gets it",
        "changes[].before.withdrawn": "whether builds from there on live by their own default now; "
        "`before` is null where the set in force says nothing",
        "changes[].before.value": "the value in force, of any type; null where it is withdrawn",
        "changes[].after.withdrawn": "likewise after publishing; `after` is null where the draft "
        "says nothing any longer",
        "changes[].after.value": "likewise",
    },
)
_PUBLISHED: Final = Answer(
    lambda: {
        "version": 13,
        "changes": 1,
        "dangers": ["android from build 1: builds below 120 detect no more until they are updated"],
    },
    {
        "version": "version of the set that is in force now",
        "changes": "number of places at which it says something else than the one before",
        "dangers[]": "what it does to phones that had to be meant, for people",
    },
)
_PUBLISHING: Final = {
    1: "nothing was published: a value is not allowed, the draft is too old or changes nothing, a "
    "danger was told and `--yes` is missing, or the database does not answer",
    78: _UNREACHABLE[78],
}

CONFIG: Final[Mapping[str, Told]] = {
    "config get": Told(
        exit_codes=_UNREACHABLE,
        answers=(
            Answer(
                lambda: {
                    "version": 12,
                    "entries": [
                        {
                            "name": "minimum_build_version",
                            "platform": "android",
                            "from_build": 1,
                            "withdrawn": False,
                            "value": 100,
                        }
                    ],
                },
                {
                    "version": "version of the set; 0 where nothing was published yet",
                    "entries[].name": "name of the setting",
                    "entries[].platform": "`ios` or `android`",
                    "entries[].from_build": "first build that gets it",
                    "entries[].withdrawn": "whether builds from there on live by their own default",
                    "entries[].value": "the value, of any type; null where it is withdrawn",
                },
            ),
            Answer(
                lambda: {
                    "version": 12,
                    "settings": [
                        {"name": "minimum_build_version", "value": 100, "published": True},
                    ],
                },
                {
                    "version": "likewise",
                    "settings[].name": "name of the setting",
                    "settings[].value": "the value that such a phone lives by, of any type",
                    "settings[].published": "false where it is the App's own default",
                },
                when="With `--platform` and `--build`",
            ),
        ),
    ),
    "config set": Told(exit_codes=_UNREACHABLE, answers=(_CHANGES,)),
    "config diff": Told(
        exit_codes=_UNREACHABLE,
        answers=(Answer(dict, {}, like="what [`config set`](#immuni-config-set) prints."),),
    ),
    "config publish": Told(exit_codes=_PUBLISHING, answers=(_PUBLISHED,)),
    "config history": Told(
        exit_codes=_UNREACHABLE,
        answers=(
            Answer(
                lambda: [
                    {
                        "version": 12,
                        "published_at": "2026-11-20T09:30:00+00:00",
                        "author": "ada",
                        "login": "immuni_settings_author",
                        "reason": "builds before 100 crash",
                        "entries": 3,
                    }
                ],
                {
                    "[].version": "version of the set",
                    "[].published_at": "when, ISO 8601 in UTC, by the database's clock",
                    "[].author": "who, as they said",
                    "[].login": "login of the database that wrote it",
                    "[].reason": "why",
                    "[].entries": "number of values and withdrawals in the set",
                },
            ),
        ),
    ),
    "config rollback": Told(
        exit_codes=_PUBLISHING,
        answers=(Answer(dict, {}, like="what [`config publish`](#immuni-config-publish) prints."),),
    ),
}
