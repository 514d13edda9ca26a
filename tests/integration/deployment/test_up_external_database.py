"""``immuni up --external-database``: a PostgreSQL that is somebody else's."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from immuni.deployment.embedded_postgres import EmbeddedPostgres
from tests.integration.deployment.existing_phone import publish_an_upload
from tests.processes import processes_naming
from tests.running import RunningSystem, running_system
from tests.unit.cli.command_line import immuni

pytestmark = pytest.mark.timeout(300)

MARKED = "marked-password"


@pytest.fixture
def admin_url(tmp_path: Path) -> Iterator[str]:
    """Run a server of our own: the names of the databases are fixed, and other tests use them."""
    server = EmbeddedPostgres(tmp_path / "theirs", settings={"fsync": "off"})
    url = server.start()
    yield url
    server.stop()


def signs_in(system: RunningSystem) -> bool:
    """Tell whether the portal lets the demonstration account in."""
    address = urlsplit(system.told["portal"])
    account = system.told["demo_accounts"][0]
    with httpx.Client(
        base_url=f"http://127.0.0.1:{address.port}",
        headers={"Host": address.netloc, "Origin": system.told["portal"]},
        trust_env=False,
        timeout=30,
    ) as browser:
        browser.get("/sign-in")
        form = {"user": account["user"], "password": account["password"]}
        return browser.post("/sign-in", data=form).has_redirect_location


def test_the_system_runs_on_it_also_when_the_data_folder_was_lost(
    admin_url: str, tmp_path: Path
) -> None:
    told = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        with running_system(folder, "--without-phones", "--external-database", admin_url) as system:
            assert signs_in(system)
            assert publish_an_upload(system.told) > 0
            assert not (folder / "postgres").exists()
            assert system.stop() == 0
            told.append(system.told)

    first, second = (each["demo_accounts"][0]["password"] for each in told)
    assert first != second


def test_the_systems_end_leaves_it_running(admin_url: str, tmp_path: Path) -> None:
    with psycopg.connect(admin_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert processes_naming(tmp_path / "theirs")


@pytest.mark.parametrize(
    "url", ["nonsense", f"mysql://u:{MARKED}@h/d", f"postgresql://u:{MARKED}@h/d?x=y", "host=h"]
)
def test_what_is_no_url_of_a_database_is_wrong_use(url: str, tmp_path: Path) -> None:
    refused = immuni("up", "--data-dir", tmp_path / "ours", "--external-database", url)

    assert (refused.code, refused.out) == (2, "")
    assert "postgresql://user:password@host/name" in refused.err
    assert MARKED not in refused.err
    assert not (tmp_path / "ours").exists()


def test_a_database_that_does_not_answer_is_told_in_one_line_without_its_password(
    tmp_path: Path,
) -> None:
    url = f"postgresql://admin:{MARKED}@127.0.0.1:1/postgres"

    refused = immuni("up", "--data-dir", tmp_path, "--external-database", url, "--json")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("immuni: the database does not answer: ")
    assert refused.err.count("\n") == 1
    assert MARKED not in refused.err
