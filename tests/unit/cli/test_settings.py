"""``immuni settings show``."""

from pathlib import Path

import pytest

from tests.unit.cli.command_line import immuni

MEMBERS = ["name", "value", "from", "allowed", "meaning"]
SECRET = "marked-secret"
OTP_KEY = "5e" * 32


def shown(*arguments: str | Path) -> dict[str, dict[str, str]]:
    """Return what machines see, by name."""
    outcome = immuni("settings", "show", *arguments, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    rows = outcome.json
    assert all(list(row) == MEMBERS for row in rows)
    return {row["name"]: row for row in rows}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "immuni.toml"
    file.write_text('otp_lifetime = "3m"\nmin_keys_per_chunk = 200\npublish_empty_runs = false\n')
    return file


def test_every_setting_is_shown_with_its_origin(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMMUNI_OTP_LIFETIME", "4m")

    rows = shown("--config", file)

    assert rows["otp_lifetime"]["value"] == "4m"
    assert rows["otp_lifetime"]["from"] == "IMMUNI_OTP_LIFETIME"
    assert rows["min_keys_per_chunk"]["value"] == "200"
    assert rows["min_keys_per_chunk"]["from"] == str(file)
    assert rows["min_keys_per_chunk"]["allowed"] == "a whole number from 0 to 10000"
    assert rows["publish_empty_runs"]["value"] == "false"
    assert rows["embargo"]["from"] == "default"
    assert all(row["allowed"] and row["meaning"] for row in rows.values())


def test_the_variable_that_names_the_file_is_no_setting(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMMUNI_CONFIG", str(file))

    assert shown()["otp_lifetime"]["value"] == "3m"


def test_what_is_shown_can_be_used_as_settings(tmp_path: Path) -> None:
    defaults = shown()
    copy = tmp_path / "copy.toml"
    copy.write_text("".join(f"{name} = '{row['value']}'\n" for name, row in defaults.items()))

    assert {name: row["value"] for name, row in shown("--config", copy).items()} == {
        name: row["value"] for name, row in defaults.items()
    }


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"postgresql://immuni:{SECRET}@db.example/immuni"
    for name in ("otp", "ingestion", "reporting", "configuration", "jobs", "analytics", "portal"):
        monkeypatch.setenv(f"IMMUNI_{name.upper()}_DATABASE_URL", url)
    monkeypatch.setenv("IMMUNI_OTP_KEYS", f"otp-1:{OTP_KEY}")

    rows = shown()
    for_people = immuni("settings", "show")

    assert rows["otp_database_url"]["value"] == "(kept secret)"
    assert rows["otp_keys"]["value"] == "(kept secret)"
    for text in (str(rows), for_people.out):
        assert SECRET not in text
        assert OTP_KEY not in text


def test_all_faults_of_both_places_are_told_once_and_without_secrets(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('embargo = "1h"\nno_such = 1\n')
    monkeypatch.setenv("IMMUNI_OTP_LIFETIME", "99999999999999999999d")
    monkeypatch.setenv("IMMUNI_OTP_DATABASE_URL", SECRET)
    monkeypatch.setenv("IMMUNI_OTP_KEYS", SECRET)

    outcome = immuni("settings", "show", "--config", file, "--json")

    assert (outcome.code, outcome.out) == (78, "")
    faults = [line.split()[1] for line in outcome.err.splitlines()[1:]]
    assert sorted(faults) == [
        "embargo:", "no_such:", "otp_database_url:", "otp_keys:", "otp_lifetime:",
    ]  # fmt: skip
    assert f"'1h' from {file} is not a duration from 2h to 2d" in outcome.err
    assert SECRET not in outcome.err


@pytest.mark.parametrize("content", ["[table]\nx = 1\n", "x = \n", "embargo = [1]\n", "\xff"])
def test_a_file_that_cannot_be_read_as_settings_is_named(content: str, file: Path) -> None:
    file.write_text(content, encoding="latin-1")

    outcome = immuni("settings", "show", "--config", file)

    assert (outcome.code, outcome.out) == (78, "")
    assert str(file) in outcome.err


@pytest.mark.parametrize("place", ["absent.toml", "."])
def test_a_missing_file_is_named(place: str, tmp_path: Path) -> None:
    outcome = immuni("settings", "show", "--config", tmp_path / place)

    assert (outcome.code, outcome.out) == (78, "")
    assert str(tmp_path / place) in outcome.err


def test_people_get_a_table() -> None:
    outcome = immuni("settings", "show")

    assert (outcome.code, outcome.err) == (0, "")
    assert "name" in outcome.out
