"""What commands print with ``--json``: an example of each, and what its members mean."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from immuni.deployment.demo_accounts import DemoAccount
from immuni.deployment.roles import Ports
from immuni.deployment.up import Running
from scripts.reference.audit_answers import AUDIT
from scripts.reference.certs_answers import CERTS
from scripts.reference.config_answers import CONFIG
from scripts.reference.device_answers import DEVICE
from scripts.reference.keys_answers import KEYS
from scripts.reference.looking_answers import LOOKING
from scripts.reference.opendata_answers import OPEN_DATA
from scripts.reference.risk_answers import RISK
from scripts.reference.running import run
from scripts.reference.told import Answer, Told

_VECTORS: Final = "tests/vectors/files"
SAMPLE: Final = f"{_VECTORS}/sample_diagnosis_key_file.zip"
SAMPLE_KEY: Final = f"{_VECTORS}/sample_310-v1.pem"
HEARD: Final = "docs/examples/heard.csv"


_WRONG_SETTINGS: Final = {78: "some settings are wrong"}
_CHUNK: Final = {
    "verified": "whether the signature was verified with a key; here always false",
    "start": "start of the window whose keys the chunk publishes, ISO 8601 in UTC",
    "end": "end of that window",
    "region": "region that the chunk names",
    "batch_num": "number of the file in its batch, from 1",
    "batch_size": "number of files in the batch",
    "signatures[].key_id": "id of a key with which the chunk says that it was signed",
    "signatures[].key_version": "version of that key",
    "signatures[].algorithm": "object identifier of the algorithm",
    "signatures[].app_bundle_id": "of the format's first version; empty where it is not given",
    "signatures[].android_package": "likewise",
    "key_count": "number of keys",
    "revised_key_count": "number of keys whose report type has changed",
    "days.*": "UTC day to the number of its keys",
    "transmission_risk_levels.*": "level, 0..8, to the number of keys that have it",
    "report_types.*": "report type to the number of keys that have it",
    "rolling_periods.*": "number of intervals to the number of keys that are valid for so long",
}
_CODE: Final = {
    "otp": "the code, ten characters",
    "grouped": "the code as people see and dictate it",
    "sha256": "what a phone sends in its place, hexadecimal; as secret as the code",
}
_RUNNING: Final = Running(
    Path("/srv/immuni/var"),
    Ports(8400),
    (
        "http://phone-a.world.localhost:8406/open#3q2-7wAB…",
        "http://phone-b.world.localhost:8407/open#yv66vgCD…",
    ),
    (
        DemoAccount("operator", "0f1e2d3c4b5a6978", "operator"),
        DemoAccount("supervisor", "8796a5b4c3d2e1f0", "supervisor"),
        DemoAccount("administrator", "1122334455667788", "administrator"),
        DemoAccount("auditor", "99aabbccddeeff00", "auditor"),
    ),
    world="http://world.localhost:8413/open#vu8Q5sKz…",
)

TOLD: Final[Mapping[str, Told]] = {
    "up": Told(
        exit_codes={
            0: "stopped after SIGTERM, SIGHUP or Ctrl-C",
            1: "it could not start, or a process fell too often",
            78: "a variable of the environment is wrong",
        },
        answers=(
            Answer(
                _RUNNING.as_json,
                {
                    "get": "base URL of settings, index and chunks",
                    "upload": "base URL of Exposure Ingestion",
                    "analytics": "base URL of Analytics",
                    "otp": "base URL of the OTP Service, over mutual TLS",
                    "otp_ca": "PEM file of the authority that signed the OTP Service's certificate",
                    "otp_client_cert": "PEM file of a client's certificate that it accepts",
                    "otp_client_key": "PEM file of the key to that certificate",
                    "portal": "URL of the portal",
                    "dashboard": "URL of the dashboard",
                    "apple": "base URL of the stand-in for Apple's DeviceCheck",
                    "metrics": "base URL of `/metrics`",
                    "world": "link that opens the page on which the phones are moved about, with "
                    "its secret; null with `--without-phones`",
                    "phones[]": "link that opens each phone's App, with its secret; empty with "
                    "`--without-phones`",
                    "demo_accounts[].user": "name of an account of the portal",
                    "demo_accounts[].password": "its password; made up at the first start",
                    "demo_accounts[].role": "its role: `operator`, `supervisor`, "
                    "`administrator` or `auditor`",
                    "export_public_key": "PEM file of the key that verifies chunks",
                    "data_dir": "the data folder",
                },
            ),
        ),
    ),
    "demo": Told(
        exit_codes={1: "the story came out wrong; the last line or `reason` says how"},
        answers=(
            Answer(
                lambda: {
                    "ok": True,
                    "steps": [
                        {"step": "servers", "text": "PostgreSQL, the five services … are up."},
                        {"step": "meeting", "text": "Three phones lived …", "day": "2026-11-20"},
                        {"step": "code", "text": "A's user tested positive; the phone shows …"},
                        {"step": "authorised", "text": "An operator signed in …"},
                        {"step": "upload", "text": "A checked the code …", "keys": 4},
                        {"step": "published", "text": "A signed chunk …", "keys": 221, "chunks": 1},
                        {
                            "step": "warned",
                            "text": "B matched on its own and warned …",
                            "day": "2026-11-20",
                            "total_risk_score": 25,
                        },
                        {"step": "silent", "text": "C checked the same chunk and stayed silent."},
                        {"step": "frugal", "text": "B's database holds …", "heard": 112},
                        {"step": "reported", "text": "B reported …", "day": "2026-11-20"},
                        {"step": "shown", "text": "11 more phones …", "phones": 12},
                    ],
                },
                {
                    "ok": "whether the story came out right",
                    "steps[].step": "name of the step; the steps and their order are those here",
                    "steps[].text": "what happened, for people; may change",
                    "steps[].day": "UTC day of the meeting, or of the contact that B warned of",
                    "steps[].keys": "keys that A uploaded, or keys in the chunk",
                    "steps[].chunks": "chunks that were published",
                    "steps[].total_risk_score": "Total Risk Score of B's exposure",
                    "steps[].heard": "identifiers in B's database",
                    "steps[].phones": "notified phones that the dashboard shows",
                },
            ),
            Answer(
                lambda: {
                    "ok": False,
                    "reason": "phone B scored 0, want 25",
                    "steps": [{"step": "servers", "text": "PostgreSQL, the five services …"}],
                },
                {
                    "ok": "false",
                    "reason": "what is wrong, for people",
                    "steps[].step": "the steps that went well, as above",
                    "steps[].text": "likewise",
                },
                when="Where it came out wrong",
            ),
        ),
    ),
    **LOOKING,
    "match": Told(
        exit_codes={1: "nothing matched, or a file was refused"},
        answers=(
            Answer(
                partial(run, "match", "--export", SAMPLE, "--sightings", HEARD, "--json"),
                {
                    "verified": "whether the chunk's signature was verified, which takes `--key`",
                    "key_count": "keys in the chunk, revised ones included",
                    "sighting_count": "sightings in the CSV file",
                    "matches[].line": "line of the sighting in the CSV file, its header being 1",
                    "matches[].rpi": "the identifier, hexadecimal",
                    "matches[].seen_at": "when it was heard, ISO 8601",
                    "matches[].interval": "interval for which the key generated it",
                    "matches[].key_index": "place of the key in the file, from 0; revised keys "
                    "follow the others",
                    "matches[].key_day": "UTC day of the key",
                    "matches[].transmission_risk_level": "of the key, 0..8; null for keys of the "
                    "preliminary generation",
                    "matches[].report_type": "how the diagnosis became known; likewise",
                    "matches[].rssi_dbm": "received strength; null where the file does not tell",
                    "matches[].attenuation_db": "loss of signal; null where `aem` or `rssi_dbm` is "
                    "missing or implausible",
                },
            ),
        ),
    ),
    "export show": Told(
        exit_codes={1: "the file is damaged"},
        answers=(Answer(partial(run, "export", "show", SAMPLE, "--json"), _CHUNK),),
    ),
    "export verify": Told(
        exit_codes={1: "the file is damaged, or not signed by the key"},
        answers=(
            Answer(
                partial(run, "export", "verify", SAMPLE, "--key", SAMPLE_KEY, "--json"),
                _CHUNK,
                like="what [`export show`](#immuni-export-show) prints, with `verified` true.",
            ),
            Answer(
                partial(run, "export", "verify", HEARD, "--key", SAMPLE_KEY, "--json"),
                {"verified": "false", "reason": "what is wrong, for people"},
                when="Where the file is refused",
            ),
        ),
    ),
    "portal invite": Told(
        exit_codes={1: "the user name is taken, or the organisation closed"},
        answers=(
            Answer(
                lambda: {"link": "https://his.example/join#" + "A" * 43},
                {"link": "what is handed over; it is kept nowhere"},
            ),
        ),
    ),
    "portal deactivate": Told(
        exit_codes={1: "nobody has that user name"},
        answers=(
            Answer(
                lambda: {"deactivated": "anna.rossi", "has_administrator": True},
                {
                    "deactivated": "the user name",
                    "has_administrator": "whether an active administrator is left",
                },
            ),
        ),
    ),
    "otp new": Told(
        answers=(
            Answer(lambda: run("otp", "check", "9K2RAY8UUQ", "--json", without="valid"), _CODE),
        ),
    ),
    "otp check": Told(
        exit_codes={1: "the code is not well-formed"},
        answers=(
            Answer(
                partial(run, "otp", "check", "9K2 RAY8 UUQ", "--json"),
                {"valid": "true", **_CODE},
            ),
            Answer(
                partial(run, "otp", "check", "9K2 RAY8 UUA", "--json"),
                {
                    "valid": "false",
                    "reason": "what is wrong, for people",
                    "look_alikes[]": "pairs of characters whose confusion the check digit cannot "
                    "see",
                },
                when="Where the code is not well-formed",
            ),
        ),
    ),
    "key derive": Told(
        answers=(
            Answer(
                partial(
                    run,
                    *("key", "derive", "75c734c6dd1a782de7a965da5eb93125", "--start", "2642976"),
                    *("--period", "2", "--metadata", "40080000", "--json"),
                ),
                {
                    "rolling_start_number": "first interval in which the key is valid",
                    "rolling_period": "number of intervals for which it is valid",
                    "rpik": "Rolling Proximity Identifier Key",
                    "aemk": "Associated Encrypted Metadata Key",
                    "rpis[]": "identifier of each interval, in order",
                    "aems[]": "encrypted metadata of each interval; empty without `--metadata`",
                },
            ),
        ),
        note="All bytes are hexadecimal.",
    ),
    **RISK,
    **DEVICE,
    "jobs list": Told(
        exit_codes=_WRONG_SETTINGS,
        answers=(
            Answer(
                partial(run, "jobs", "list", "--json"),
                {
                    "[].name": "name, as `jobs run` takes it",
                    "[].cron": "schedule, in UTC",
                    "[].meaning": "what it does, for people",
                },
            ),
        ),
        note="The schedule is that of the settings in force: `--config var/immuni.toml` gives the "
        "one of a system that `immuni up` runs in `var`.",
    ),
    "jobs run": Told(
        exit_codes={
            1: "it failed",
            78: "some settings are wrong, or no system was ever started in the data folder",
        },
        answers=(
            Answer(
                lambda: {
                    "job": "publish",
                    "figures": {
                        "chunks": 1,
                        "keys": 221,
                        "adopted": 0,
                        "removed": 0,
                        "overlapped": 0,
                    },
                },
                {"job": "name of the job", "figures.*": "what it did, counted; see below"},
            ),
        ),
    ),
    **CERTS,
    **KEYS,
    **CONFIG,
    **OPEN_DATA,
    **AUDIT,
    "settings show": Told(
        exit_codes=_WRONG_SETTINGS,
        answers=(
            Answer(
                partial(run, "settings", "show", "--json"),
                {
                    "[].name": "name in a TOML file; `IMMUNI_` and capitals in the environment",
                    "[].value": "value in force, as it would be written; `(kept secret)` for a "
                    "secret",
                    "[].from": "`default`, the TOML file, or the variable",
                    "[].allowed": "what is allowed, for people",
                    "[].meaning": "what it means, for people",
                },
            ),
        ),
    ),
    "serve": Told(
        exit_codes={
            0: "stopped after SIGTERM, SIGHUP or Ctrl-C",
            1: "it could not start",
            **_WRONG_SETTINGS,
        },
        note="For deployments and for `immuni up`, which runs one such process for each role. It "
        "prints the line `ready` when it answers; its log goes to standard error.",
    ),
}
"""By the words of the command."""
