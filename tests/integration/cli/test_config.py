"""``immuni config`` on a real database: from a draft to what phones get, and back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from getpass import getuser
from pathlib import Path

import psycopg
import pytest

from immuni.deployment.databases import ServicesDatabase
from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from tests.running import ended
from tests.unit.cli.command_line import Outcome, immuni

Run = Callable[..., Outcome]


@pytest.fixture
def config(
    services_database: ServicesDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Return what runs ``immuni config`` in an empty folder, with the author's login."""
    file = tmp_path / "immuni.toml"
    file.write_text(f'settings_author_database_url = "{services_database.settings_author}"\n')
    monkeypatch.setenv("IMMUNI_CONFIG", str(file))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: immuni("config", *arguments)


def published(config: Run, *arguments: str, reason: str = "a trial") -> int:
    """Set one value, publish, and return the version."""
    assert config("set", *arguments).code == 0
    outcome = config("publish", "--reason", reason, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    version: int = outcome.json["version"]
    return version


def phone(config: Run, platform: str, build: int, name: str) -> object:
    """Return what a phone lives by, and whether it was published."""
    arguments = ("get", name, "--platform", platform, "--build", str(build), "--json")
    (setting,) = config(*arguments).json["settings"]
    return setting["value"], setting["published"]


def test_from_a_draft_to_what_each_build_gets(config: Run, tmp_path: Path) -> None:
    assert config("get", "--json").json == {"version": 0, "entries": []}
    assert config("set", "support_phone", "1500").code == 0
    assert (
        config("set", "support_phone", "1501", "--platform", "ios", "--from-build", "5").code == 0
    )
    last = config(
        "set", "support_phone", "--withdraw", "--platform", "ios", "--from-build", "9", "--json"
    )
    assert (last.json["in_force"], last.json["based_on"], len(last.json["changes"])) == (0, 0, 4)
    assert phone(config, "ios", 5, "support_phone") == (None, False), "a draft reaches nobody"

    outcome = config("publish", "--reason", "a hotline", "--json")

    assert outcome.json == {"version": 1, "changes": 4, "dangers": []}
    assert not (tmp_path / "settings-draft.json").exists()
    assert phone(config, "ios", 4, "support_phone") == ("1500", True)
    assert phone(config, "ios", 5, "support_phone") == ("1501", True)
    assert phone(config, "ios", 9, "support_phone") == (None, False)
    assert phone(config, "android", 9, "support_phone") == ("1500", True)


def test_the_history_says_who_when_and_why(
    config: Run, services_database: ServicesDatabase
) -> None:
    published(config, "support_phone", "1500", reason="a hotline")
    config("set", "support_phone", "1501")
    config("publish", "--reason", "it moved", "--author", "Ada")
    with psycopg.connect(services_database.owner) as owner:
        rows = owner.execute("SELECT published_at FROM configuration.version ORDER BY number")
        first, second = (row[0] for row in rows)

    told = config("history", "--json").json

    assert [(row["version"], row["author"], row["reason"]) for row in told] == [
        (2, "Ada", "it moved"),
        (1, getuser(), "a hotline"),
    ]
    assert {row["login"] for row in told} == {"immuni_settings_author"}
    assert [row["published_at"] for row in told] == [second.isoformat(), first.isoformat()]
    assert "it moved" in config("history").out


def test_a_rollback_publishes_the_old_set_as_a_new_version(config: Run) -> None:
    published(config, "support_phone", "1500")
    published(config, "support_phone", "1501")
    published(config, "support_email", "a@b.example")
    differing = config("diff", "--version", "1", "--json").json["changes"]

    outcome = config("rollback", "1", "--reason", "wrong number", "--json")

    assert outcome.json == {"version": 4, "changes": 4, "dangers": []}
    assert len(differing) == 4
    assert (
        config("get", "--json").json["entries"]
        == config("get", "--version", "1", "--json").json["entries"]
    )
    assert config("rollback", "9", "--reason", "x").code == 1
    assert config("rollback", "1", "--reason", "x").code == 1, "nothing would change"


def test_a_draft_that_another_publication_overtook_is_refused_and_kept(
    config: Run, tmp_path: Path
) -> None:
    config("set", "support_phone", "1500", "--draft", "slow.json")
    published(config, "support_email", "a@b.example")

    outcome = config("publish", "--reason", "late", "--draft", "slow.json")

    assert outcome.code == 1
    assert "version 0, but version 1 is in force" in outcome.err
    assert (tmp_path / "slow.json").exists()
    assert "would undo" in config("diff", "--draft", "slow.json").out
    assert [row["version"] for row in config("history", "--json").json] == [1]


def test_all_faults_of_a_draft_are_told_and_nothing_is_published(
    config: Run, tmp_path: Path
) -> None:
    (tmp_path / "settings-draft.json").write_text(
        """{"based_on": 0, "entries": [
        {"platform": "ios", "name": "minimum_build_version", "from_build": 1, "value": "five"},
        {"platform": "ios", "name": "supprot_phone", "from_build": 1, "value": "1500"},
        {"platform": "ios", "name": "support_phone", "from_build": 0, "value": "1500"}]}"""
    )

    outcome = config("publish", "--reason", "a trial")

    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 3
    assert "supprot_phone" in outcome.err
    assert config("history", "--json").json == []


def test_a_danger_has_to_be_meant(config: Run) -> None:
    config("set", "service_end_date", "2026-12-31")

    refused = config("publish", "--reason", "the law")
    meant = config("publish", "--reason", "the law", "--yes", "--json")

    assert refused.code == 1
    assert "the service ends on 2026-12-31" in refused.err
    assert meant.json["version"] == 1
    assert len(meant.json["dangers"]) == 2


def test_of_two_who_publish_drafts_at_once_one_is_told(config: Run, tmp_path: Path) -> None:
    config("set", "support_phone", "1500", "--draft", "one.json")
    config("set", "support_phone", "1501", "--draft", "two.json")

    def publish(draft: str) -> int:
        arguments = ("config", "publish", "--reason", draft, "--draft", str(tmp_path / draft))
        return ended(*arguments).returncode

    with ThreadPoolExecutor() as both:
        codes = list(both.map(publish, ("one.json", "two.json")))

    assert sorted(codes) == [0, 1]
    assert len(config("history", "--json").json) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "support_phone"),
        ("set", "support_phone", "1500", "--withdraw"),
        ("set", "support_phone", "--withdraw", "--remove"),
        ("get", "--build", "5"),
        ("publish", "--reason", " "),
    ],
)
def test_wrong_use_is_told(config: Run, arguments: tuple[str, ...]) -> None:
    config("set", "support_email", "a@b.example")

    assert config(*arguments).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "support_phone", "--remove"),
        ("set", "minimum_build_version", "five"),
        ("set", "no_such_setting", "1"),
        ("get", "no_such_setting"),
        ("get", "no_such_setting", "--platform", "ios", "--build", "5", "--json"),
        ("get", "--version", "7"),
        ("diff",),
        ("publish", "--reason", "a trial"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(config: Run, arguments: tuple[str, ...]) -> None:
    outcome = config(*arguments)

    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 1


def test_a_value_is_taken_out_of_the_draft_again(config: Run) -> None:
    config("set", "support_phone", "1500")
    outcome = config("set", "support_phone", "--remove")

    assert "No change" in outcome.out
    assert config("publish", "--reason", "nothing").code == 1


def test_without_a_database_the_missing_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    outcome = immuni("config", "get")

    assert outcome.code == 78
    assert "settings_author_database_url" in outcome.err


def test_the_json_is_what_the_reference_says(config: Run) -> None:
    config("set", "minimum_build_version", "100")
    config("publish", "--reason", "a trial", "--yes")
    seen = ("get", "minimum_build_version", "--platform", "ios", "--build", "5")
    printed = {
        "get": [config("get", "--json"), config(*seen, "--json")],
        "set": [config("set", "minimum_build_version", "120", "--json")],
        "publish": [config("publish", "--reason", "another", "--yes", "--json")],
        "history": [config("history", "--json")],
    }

    for command, outcomes in printed.items():
        for answer, outcome in zip(TOLD[f"config {command}"].answers, outcomes, strict=True):
            check_members(answer, outcome.json, where=command)
