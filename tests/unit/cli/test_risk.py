"""``immuni risk``."""

import json
from pathlib import Path
from typing import Any

import pytest

from immuni.risk import IMMUNI_DEFAULT, PRESETS
from tests.unit.cli.command_line import Outcome, immuni
from tests.unit.docs.documents import ROOT, code_of


def explained(*options: str | Path, attenuation_db: int = 55, minutes: int = 20) -> Outcome:
    """Run ``immuni risk explain`` on a meeting three days ago."""
    meeting = ["--attenuation-db", str(attenuation_db), "--minutes", str(minutes), "--days", "3"]
    return immuni("risk", "explain", *meeting, *options)


def configuration_file(folder: Path, content: str) -> Path:
    """Return a file with `content`."""
    path = folder / "configuration.json"
    path.write_text(content, encoding="utf-8")
    return path


def test_people_read_why_an_exposure_scores_what_it_scores() -> None:
    outcome = explained("--level", "4")

    assert (outcome.code, outcome.err) == (0, "")
    assert "55 dB (above 51 dB, up to 63 dB), scores 5." in outcome.out
    assert "the Total Risk Score is 25." in outcome.out
    assert outcome.out.endswith("immuni warns from a Total Risk Score of 20, so it warns.\n")


@pytest.mark.parametrize(
    ("name", "attenuation_db", "verdict"),
    [
        ("immuni", 80, "from a Total Risk Score of 20, so it does not warn."),
        ("koronavilkku", 55, "from a day's sum of 900, which this window alone reaches."),
        ("koronavilkku", 65, "from a day's sum of 900, which this window alone does not reach."),
        ("corona-warn-app", 55, "sets no score from which to warn: the App decides."),
    ],
)
def test_people_read_whether_a_deployment_warns(
    name: str, attenuation_db: int, verdict: str
) -> None:
    outcome = explained("--preset", name, attenuation_db=attenuation_db)

    assert outcome.out.endswith(f"{verdict}\n")


def test_a_window_that_does_not_count_warns_of_nothing() -> None:
    meeting = ["--attenuation-db", "55", "--minutes", "20", "--days", "11"]

    outcome = immuni("risk", "explain", *meeting, "--preset", "koronavilkku")

    assert outcome.out.endswith("which this window alone does not reach.\n")


def test_the_documents_show_what_the_command_prints() -> None:
    (shown,) = code_of(ROOT / "docs" / "explanation" / "risk.md", "console")
    command, _, printed = shown.partition("\n")

    outcome = immuni(*command.split()[2:])

    assert outcome.out == printed


def test_machines_get_every_factor() -> None:
    answer = explained("--level", "4", "--json").json

    assert answer["model"] == "v1"
    assert answer["attenuation_db"] == {
        "value": 55, "bucket": 2, "lower": 51, "upper": 63, "score": 5,
    }  # fmt: skip
    assert answer["transmission_risk_level"] == {"value": 4, "score": 1}
    assert (answer["product"], answer["total_risk_score"], answer["warning_score"]) == (25, 25, 20)


@pytest.mark.parametrize(("minutes", "counted"), [(1, 5), (17, 15), (18, 20), (1440, 1440)])
def test_in_the_first_model_minutes_count_in_fives(minutes: int, counted: int) -> None:
    assert explained("--json", minutes=minutes).json["minutes"]["value"] == counted


def test_a_level_that_is_left_out_does_not_weigh() -> None:
    answer = explained("--json").json

    assert answer["transmission_risk_level"] == {"value": 0, "score": 1}


def test_a_window_is_explained_under_a_preset_of_the_second_model() -> None:
    outcome = explained("--preset", "koronavilkku", "--days-since-onset", "9", "--json")
    answer = outcome.json

    assert outcome.code == 0
    assert answer["model"] == "v2"
    assert [time["seconds"] for time in answer["times"]] == [0, 1200, 0, 0]
    assert (answer["infectiousness"], answer["score"]) == ("STANDARD", 750.0)
    assert (answer["counts"], answer["warning_score"]) == (True, 900)


def test_people_read_why_a_window_counts() -> None:
    outcome = explained("--preset", "koronavilkku", "--report-type", "SELF_REPORT", minutes=12)

    assert "Near (attenuation above 51 dB, up to 63 dB): 720 s · 1 = 720 s." in outcome.out
    assert "What scores 0 does not count." in outcome.out
    assert (
        "koronavilkku warns from a day's sum of 900, which this window alone does not reach."
        in outcome.out
    )


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--preset", "koronavilkku", "--level", "4"], "--level"),
        (["--preset", "koronavilkku", "--report-type", "REVOKED"], "CONFIRMED_TEST"),
        (["--days-since-onset", "1"], "--days-since-onset"),
        (["--report-type", "SELF_REPORT"], "--report-type"),
        (["--level", "9"], "--level"),
    ],
)
def test_what_the_model_does_not_know_is_wrong_use(options: list[str], reason: str) -> None:
    outcome = explained(*options)

    assert outcome.code == 2
    assert reason in outcome.err


def test_a_window_of_more_than_half_an_hour_is_wrong_use() -> None:
    assert explained("--preset", "koronavilkku", minutes=30).code == 0
    assert explained("--preset", "koronavilkku", minutes=31).code == 2


def test_an_unknown_preset_is_wrong_use_with_near_names() -> None:
    outcome = explained("--preset", "corona-warn")

    assert (outcome.code, outcome.out) == (2, "")
    assert "corona-warn-app?" in outcome.err


@pytest.mark.parametrize("wrap", [lambda it: it, lambda it: {"exposure_configuration": it}],
                         ids=["alone", "among settings"])  # fmt: skip
def test_a_configuration_can_be_read_from_a_file(tmp_path: Path, wrap: Any) -> None:  # noqa: ANN401 - either form
    setting = {**IMMUNI_DEFAULT.to_setting(), "minimum_risk_score": 26}
    path = configuration_file(tmp_path, json.dumps(wrap(setting)))

    answer = explained("--configuration", path, "--json").json

    assert (answer["preset"], answer["total_risk_score"]) == (str(path), 0)
    assert answer["warning_score"] is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1]", "no JSON object"),
        ('{"exposure_configuration": 1}', "no JSON object"),
        ("{}", "attenuation_thresholds is missing"),
        (" " * 1_048_577, "exceeds"),
    ],
    ids=["cut off", "too deep", "a list", "a number", "empty", "too long"],
)
def test_a_file_that_holds_no_configuration_is_the_answer_no(
    tmp_path: Path, content: str, reason: str
) -> None:
    outcome = explained("--configuration", configuration_file(tmp_path, content))

    assert (outcome.code, outcome.out) == (1, "")
    assert reason in outcome.err
    assert outcome.err.count("\n") == 1


def test_presets_are_listed_with_their_sources() -> None:
    outcome = immuni("risk", "presets")

    assert outcome.code == 0
    for name, preset in PRESETS.items():
        assert f"{name} is published in {preset.source}." in outcome.out


def test_a_preset_that_is_printed_can_be_used_as_a_configuration(tmp_path: Path) -> None:
    presets = {each["name"]: each for each in immuni("risk", "presets", "--json").json}
    path = configuration_file(tmp_path, json.dumps(presets["corona-warn-app"]["configuration"]))

    options = ["--level", "5", "--json"]
    from_file = explained("--configuration", path, *options).json
    by_name = explained("--preset", "corona-warn-app", *options).json

    assert from_file["total_risk_score"] == by_name["total_risk_score"] == 50
    assert presets["koronavilkku"]["mapping"]["days_since_onset_to_infectiousness"]["0"] == "HIGH"


def test_people_read_what_an_odd_length_counts_as() -> None:
    assert explained(minutes=7).out.startswith("7 min count as 5 min.\n")
    assert "count as" not in explained(minutes=20).out
    assert json.loads(explained("--json", minutes=7).out)


def test_a_report_type_is_known_however_it_is_written() -> None:
    options = ("--preset", "koronavilkku", "--report-type")

    assert explained(*options, "self_report").out == explained(*options, "SELF_REPORT").out


def test_a_preset_and_a_file_together_are_wrong_use(tmp_path: Path) -> None:
    path = configuration_file(tmp_path, json.dumps(IMMUNI_DEFAULT.to_setting()))

    outcome = explained("--preset", "immuni", "--configuration", path)

    assert outcome.code == 2
    assert "give one of them" in " ".join(outcome.err.split())


def test_a_file_of_the_second_model_is_called_so(tmp_path: Path) -> None:
    listed = json.loads(immuni("risk", "presets", "--json").out)
    (second,) = [each["configuration"] for each in listed if each["model"] == "v2"]

    outcome = explained("--configuration", configuration_file(tmp_path, json.dumps(second)))

    assert outcome.code == 1
    assert "holds parameters of the v2 model" in outcome.err
