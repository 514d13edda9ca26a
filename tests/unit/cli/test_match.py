"""``immuni match``, on identifiers planted for the real sample."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.crypto import (
    BluetoothMetadata,
    derive_aemk,
    derive_rpik,
    encrypt_metadata,
    generate_rpi,
)
from immuni.export import read_unverified_export
from immuni.keys import ENIntervalNumber, day_of, start_of
from tests.unit.cli.command_line import Outcome, immuni
from tests.unit.export.chunks import SAMPLE, VECTORS

FILE = VECTORS / "sample_diagnosis_key_file.zip"
KEY_INDEX = 99
KEY = read_unverified_export(SAMPLE).keys[KEY_INDEX]
INTERVAL = ENIntervalNumber(KEY.tek.rolling_start_number + 60)
SEEN_AT = start_of(INTERVAL) + timedelta(minutes=3)
RPI = generate_rpi(derive_rpik(KEY.tek), INTERVAL)
AEM = encrypt_metadata(derive_aemk(KEY.tek), RPI, BluetoothMetadata(tx_power_dbm=-10))
STRANGER = "00112233445566778899aabbccddeeff"


def matched(tmp_path: Path, text: str, *options: str | Path) -> Outcome:
    """Run ``immuni match`` on the sample and a CSV file of `text`."""
    sightings = tmp_path / "heard.csv"
    sightings.write_text(text, encoding="utf-8")
    return immuni("match", "--export", FILE, "--sightings", sightings, *options)


def test_planted_identifiers_are_found(tmp_path: Path) -> None:
    outcome = matched(
        tmp_path,
        "rpi,aem,rssi_dbm,seen_at\n"
        f"{STRANGER},00000000,-50,{SEEN_AT.isoformat()}\n"
        f"{RPI.hex()},{AEM.hex()},-64,{SEEN_AT.isoformat()}\n",
        "--json",
    )

    assert outcome.code == 0
    assert outcome.json == {
        "verified": False,
        "key_count": 140,
        "sighting_count": 2,
        "matches": [
            {
                "line": 3,
                "rpi": RPI.hex(),
                "seen_at": SEEN_AT.isoformat(),
                "interval": INTERVAL,
                "key_index": KEY_INDEX,
                "key_day": day_of(KEY.tek.rolling_start_number).isoformat(),
                "transmission_risk_level": KEY.transmission_risk_level,
                "report_type": "UNKNOWN",
                "rssi_dbm": -64,
                "attenuation_db": 54,
            }
        ],
    }


def test_people_get_a_table(tmp_path: Path) -> None:
    outcome = matched(tmp_path, f"rpi,interval\n{RPI.hex()},{INTERVAL}\n")

    assert outcome.code == 0
    assert "1 of 1 sightings match one of 140 keys." in outcome.out
    assert str(INTERVAL) in outcome.out
    assert "not verified" in outcome.out


@pytest.mark.parametrize(
    "text",
    [
        f"rpi,interval\n{RPI.hex()},{INTERVAL}\n",
        f"\ufeffRPI;ENIN\r\n{RPI.hex().upper()};{INTERVAL}\r\n",
        f"place,timestamp,rpi\n,{SEEN_AT.timestamp()},{RPI.hex()}\n",
        f"rpi\ttime\trssi\n{RPI.hex()}\t{SEEN_AT:%Y-%m-%dT%H:%M:%SZ}\t\n\n",
        f'"rpi","aem","rssi_dbm","seen_at"\n{RPI.hex()},{AEM.hex()},,{SEEN_AT.isoformat()}\n',
        f"rpi,seen_at,interval\n{RPI.hex()},,{INTERVAL}\n",
    ],
    ids=["interval", "semicolons", "unknown column", "tabs", "quoted", "two times"],
)
def test_columns_may_come_in_many_ways(text: str, tmp_path: Path) -> None:
    (found,) = matched(tmp_path, text, "--json").json["matches"]

    assert found["key_index"] == KEY_INDEX
    assert found["attenuation_db"] is None


def test_implausible_metadata_is_told_without_an_attenuation(tmp_path: Path) -> None:
    text = f"rpi,aem,rssi,interval\n{RPI.hex()},{bytes(4).hex()},-60,{INTERVAL}\n"

    (found,) = matched(tmp_path, text, "--json").json["matches"]

    assert found["attenuation_db"] is None
    assert found["rssi_dbm"] == -60


def test_no_match_is_exit_code_1(tmp_path: Path) -> None:
    outcome = matched(tmp_path, f"rpi,interval\n{STRANGER},{INTERVAL}\n")

    assert outcome.code == 1
    assert "0 of 1 sightings match" in outcome.out
    assert matched(tmp_path, "rpi,interval\n", "--json").json["matches"] == []


def test_a_planted_identifier_hours_off_is_not_found(tmp_path: Path) -> None:
    assert matched(tmp_path, f"rpi,interval\n{RPI.hex()},{INTERVAL + 13}\n").code == 1


def test_with_a_key_only_what_it_signed_is_matched(tmp_path: Path) -> None:
    text = f"rpi,interval\n{RPI.hex()},{INTERVAL}\n"

    good = matched(tmp_path, text, "--key", VECTORS / "sample_310-v1.pem", "--json")

    assert good.code == 0
    assert good.json["verified"] is True


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "line 1 of the sightings: want a header"),
        ("rpi\n", "line 1 of the sightings: want a header"),
        ("rpi,rssi,rssi_dbm,time\n", "line 1 of the sightings: two columns mean the same"),
        ("rpi,time\n00,1\n", "line 2 of the sightings: rpi must have 32 hexadecimal digits"),
        ("rpi,time\n\nzz,1\n", "line 3 of the sightings: rpi must have"),
        (f"rpi,time\n{STRANGER}\n", "line 2 of the sightings: want a value for seen_at"),
        (f"rpi,time\n{STRANGER},1,2\n", "line 2 of the sightings: want 2 columns, got 3"),
        (f"rpi,time\n{STRANGER},2020-06-17T12:00\n", "seen_at must be ISO 8601 with a zone"),
        (f"rpi,time\n{STRANGER},yesterday\n", "seen_at must be ISO 8601 with a zone"),
        (f"rpi,time\n{STRANGER},-1\n", "the time must lie between the years"),
        (f"rpi,time\n{STRANGER},1969-12-31T00:00Z\n", "the time must lie between the years"),
        (f"rpi,time\n{STRANGER},nan\n", "the time must lie between the years"),
        (f"rpi,time\n{STRANGER},1e300\n", "the time must lie between the years"),
        (f"rpi,enin\n{STRANGER},{10**300}\n", "the time must lie between the years"),
        (f"rpi,enin\n{STRANGER},1.5\n", "interval must be a whole number"),
        (f"rpi,time,aem\n{STRANGER},1,unknown\n", "aem must be hexadecimal"),
        (f"rpi,time,rssi\n{STRANGER},1,127\n", "rssi_dbm must be a whole number in -127..126"),
        (f"rpi,time,rssi\n{STRANGER},1,loud\n", "rssi_dbm must be a whole number"),
        (f'rpi,time\n"{STRANGER},1\n', "the sightings are not CSV"),
    ],
)
def test_a_wrong_row_is_named_by_its_line(text: str, rule: str, tmp_path: Path) -> None:
    outcome = matched(tmp_path, text)

    assert outcome.code == 1
    assert outcome.out == ""
    assert rule in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_file_that_is_not_text_is_refused() -> None:
    outcome = immuni("match", "--export", FILE, "--sightings", FILE)

    assert outcome.code == 1
    assert "is not UTF-8" in outcome.err


def test_a_damaged_export_is_refused(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(SAMPLE[:-1])
    sightings = tmp_path / "heard.csv"
    sightings.write_text("rpi,time\n")

    assert immuni("match", "--export", damaged, "--sightings", sightings).code == 1


@pytest.mark.parametrize("arguments", [[], ["--export", str(FILE)], ["--sightings", "absent.csv"]])
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    assert immuni("match", *arguments).code == 2


def test_metadata_of_another_length_spoils_only_itself(tmp_path: Path) -> None:
    row = f"{RPI.hex()},{{}},-60,{INTERVAL}\n"
    text = "rpi,aem,rssi,interval\n" + "".join(map(row.format, ["", "00", "abc", AEM.hex() + "00"]))

    found = matched(tmp_path, text, "--json").json["matches"]

    assert [each["line"] for each in found] == [2, 3, 4, 5]
    assert {each["attenuation_db"] for each in found} == {None}


PRELIMINARY = json.loads((VECTORS.parent / "crypto-v1.0.json").read_text(encoding="utf-8"))
DAILY_KEY = PRELIMINARY["daily_tracing_key"]
FIRST_OF_DAY = PRELIMINARY["day_number"] * 144


def matched_in_april(tmp_path: Path, keys: str, *options: str) -> Outcome:
    """Run ``immuni match`` on a CSV file of preliminary keys."""
    published, sightings = tmp_path / "keys.csv", tmp_path / "heard.csv"
    published.write_text(keys, encoding="utf-8")
    last = PRELIMINARY["rpi"]["143"]
    sightings.write_text(
        f"rpi,interval\n{STRANGER},{FIRST_OF_DAY}\n{last},{FIRST_OF_DAY + 155}\n", encoding="utf-8"
    )
    return immuni("match", "--preliminary-keys", published, "--sightings", sightings, *options)


@pytest.mark.parametrize("day", ["2020-04-13", str(PRELIMINARY["day_number"])])
def test_keys_of_april_2020_are_found_without_an_attenuation(tmp_path: Path, day: str) -> None:
    keys = f"daily_tracing_key,day\n{bytes(16).hex()},{day}\n{DAILY_KEY},{day}\n"

    outcome = matched_in_april(tmp_path, keys, "--json")

    assert outcome.code == 0
    assert outcome.json == {
        "verified": False,
        "key_count": 2,
        "sighting_count": 2,
        "matches": [
            {
                "line": 3,
                "rpi": PRELIMINARY["rpi"]["143"],
                "seen_at": start_of(ENIntervalNumber(FIRST_OF_DAY + 155)).isoformat(),
                "interval": FIRST_OF_DAY + 143,
                "key_index": 1,
                "key_day": "2020-04-13",
                "transmission_risk_level": None,
                "report_type": None,
                "rssi_dbm": None,
                "attenuation_db": None,
            }
        ],
    }


def test_people_get_a_table_of_keys_of_april_2020_and_no_word_of_signatures(
    tmp_path: Path,
) -> None:
    outcome = matched_in_april(tmp_path, f"key,date\n{DAILY_KEY},2020-04-13\n")

    assert outcome.code == 0
    assert "1 of 2 sightings match one of 1 keys." in outcome.out
    assert "verified" not in outcome.out
    assert matched_in_april(tmp_path, f"key,date\n{DAILY_KEY},2020-04-14\n").code == 1


@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        ("key\n", "line 1 of the preliminary keys: want a header"),
        ("key,day\n00,1\n", "line 2 of the preliminary keys: daily_tracing_key must have 32"),
        (f"key,day\n{DAILY_KEY},-1\n", "day must be an ISO date from 1970 on"),
        (f"key,day\n{DAILY_KEY},1969-12-31\n", "day must be an ISO date from 1970 on"),
        (f"key,day\n{DAILY_KEY},{10**9}\n", "day must be an ISO date from 1970 on"),
        (f"key,day\n{DAILY_KEY},yesterday\n", "day must be an ISO date from 1970 on"),
        (f"key,day\n{DAILY_KEY}\n", "day must be an ISO date from 1970 on"),
    ],
)
def test_a_wrong_key_of_april_2020_is_named_by_its_line(
    keys: str, rule: str, tmp_path: Path
) -> None:
    outcome = matched_in_april(tmp_path, keys)

    assert outcome.code == 1
    assert rule in outcome.err


@pytest.mark.parametrize(
    "options",
    [
        ["--export", str(FILE)],
        ["--key", str(VECTORS / "sample_310-v1.pem")],
    ],
)
def test_a_chunk_and_keys_of_april_2020_exclude_each_other(
    options: list[str], tmp_path: Path
) -> None:
    keys = f"key,day\n{DAILY_KEY},2020-04-13\n"

    assert matched_in_april(tmp_path, keys, *options).code == 2


def test_without_published_keys_there_is_nothing_to_match(tmp_path: Path) -> None:
    sightings = tmp_path / "heard.csv"
    sightings.write_text("rpi,time\n")

    assert immuni("match", "--sightings", sightings).code == 2
