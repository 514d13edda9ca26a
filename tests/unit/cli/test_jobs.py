"""``immuni jobs``, where no system runs."""

from pathlib import Path

import pytest

from tests.unit.cli.command_line import immuni


def test_the_jobs_are_listed_for_people_and_machines() -> None:
    rows = immuni("jobs", "list", "--json").json

    assert [row["name"] for row in rows] == [
        "publish",
        "retention",
        "outbox",
        "shuffle",
        "refresh",
        "service-end",
        "rescue-stalled",
    ]
    assert all(list(row) == ["name", "cron", "meaning"] for row in rows)
    assert {row["name"]: row["cron"] for row in rows}["publish"] == "0 */4 * * *"
    assert "rescue-stalled" in immuni("jobs", "list").out


def test_the_schedule_follows_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMMUNI_CHUNK_PERIOD", "10m")

    rows = {row["name"]: row["cron"] for row in immuni("jobs", "list", "--json").json}

    assert rows["publish"] == "*/10 * * * *"


def test_wrong_settings_are_exit_code_78(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMMUNI_CHUNK_PERIOD", "7m")

    outcome = immuni("jobs", "list", "--json")

    assert (outcome.code, outcome.out) == (78, "")
    assert "chunk_period: '7m' from IMMUNI_CHUNK_PERIOD is not" in outcome.err


def test_a_folder_on_which_nothing_ever_ran_is_told(tmp_path: Path) -> None:
    outcome = immuni("jobs", "run", "publish", "--data-dir", tmp_path, "--json")

    assert (outcome.code, outcome.out) == (78, "")
    assert f"{tmp_path / 'immuni.toml'}: no such file" in outcome.err


def test_a_job_that_does_not_exist_is_wrong_use_and_those_that_do_are_named(tmp_path: Path) -> None:
    (tmp_path / "immuni.toml").write_text("")

    outcome = immuni("jobs", "run", "publsih", "--data-dir", tmp_path)

    assert (outcome.code, outcome.out) == (2, "")
    assert "publsih" in outcome.err
    assert "rescue-stalled" in outcome.err


def test_a_database_that_does_not_answer_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "immuni.toml").write_text(
        f'data_dir = "{tmp_path}"\n'
        'jobs_database_url = "postgresql://jobs:marked-secret@127.0.0.1:1/immuni"\n'
        'analytics_database_url = "postgresql://analytics:marked-secret@127.0.0.1:1/immuni"\n'
    )

    outcome = immuni("jobs", "run", "retention", "--data-dir", tmp_path, "--json")

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("immuni: the database does not answer: ")
    assert outcome.err.count("\n") == 1
    assert "marked-secret" not in outcome.err


def test_settings_that_a_job_cannot_do_without_are_all_named(tmp_path: Path) -> None:
    (tmp_path / "immuni.toml").write_text("")

    outcome = immuni("jobs", "run", "retention", "--data-dir", tmp_path)

    assert (outcome.code, outcome.out) == (78, "")
    assert "jobs_database_url: not set, want a URL of the form postgresql://" in outcome.err
    assert "analytics_database_url: not set" in outcome.err


@pytest.mark.parametrize("arguments", [[], ["run"], ["stop"], ["list", "all"]])
def test_wrong_use_is_exit_code_2(arguments: list[str]) -> None:
    assert immuni("jobs", *arguments).code == 2
