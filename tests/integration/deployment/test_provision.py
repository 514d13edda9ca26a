"""Making ready what a system needs: once, and again without changing anything."""

import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
import pytest

from immuni.clock import ManualClock, SystemClock
from immuni.deployment.apple import device_check_settings
from immuni.deployment.configured import read_configured
from immuni.deployment.demo_accounts import DemoAccount
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.deployment.google import attestation_settings
from immuni.deployment.layout import Layout
from immuni.deployment.provision import DECIDED_BY_SYSTEM, provision
from immuni.deployment.roles import Ports
from immuni.deployment.settings import DatabaseSettings, DeploymentSettings

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
PORTS: Final = Ports(8400)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server of our own: the names of the databases are fixed, and other tests use them."""
    folder = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(folder / "server", settings={"fsync": "off"})
    url = server.start()
    yield url
    server.stop()


async def provisioned(
    layout: Layout, admin_url: str, *, story_pace: bool = False
) -> tuple[DemoAccount, ...]:
    layout.prepare()
    return await provision(layout, PORTS, admin_url, clock=SystemClock(), story_pace=story_pace)


def secrets(layout: Layout) -> Mapping[str, bytes]:
    """Return the files that must stay as they are."""
    folders = (layout.secrets, layout.keys, layout.certificates)
    return {
        str(file.relative_to(layout.root)): file.read_bytes()
        for folder in folders
        for file in folder.iterdir()
    }


async def test_a_second_time_changes_nothing(tmp_path: Path, admin_url: str) -> None:
    layout = Layout(tmp_path)
    accounts = await provisioned(layout, admin_url)
    before, settings = secrets(layout), layout.settings_file.read_text()

    again = await provisioned(layout, admin_url)

    assert [asdict(each) for each in again] == [asdict(each) for each in accounts]
    assert secrets(layout) == before
    assert layout.settings_file.read_text() == settings


async def test_what_is_secret_is_its_owners_only(tmp_path: Path, admin_url: str) -> None:
    layout = Layout(tmp_path)
    await provisioned(layout, admin_url)

    public = {".pem"}
    for name in secrets(layout):
        file = layout.root / name
        if file.suffix not in public:
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, name
    assert stat.S_IMODE(layout.settings_file.stat().st_mode) == 0o600
    for folder in (layout.secrets, layout.keys, layout.certificates):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_no_password_shows_in_a_repr(tmp_path: Path, admin_url: str) -> None:
    for account in await provisioned(Layout(tmp_path), admin_url):
        assert len(account.password) >= 16
        assert account.password not in repr(account)


async def test_every_login_of_the_settings_file_opens_its_database(
    tmp_path: Path, admin_url: str
) -> None:
    layout = Layout(tmp_path / 'it\'s a "folder"')
    layout.root.mkdir()
    await provisioned(layout, admin_url)

    configured = read_configured(layout.settings_file)

    assert configured.of(DeploymentSettings).layout == layout
    assert configured.of(DeploymentSettings).ports == PORTS
    for url in asdict(configured.of(DatabaseSettings)).values():
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
            assert row.fetchone() == (False,)


async def test_what_the_system_decides_is_what_its_settings_file_says(
    tmp_path: Path, admin_url: str
) -> None:
    layout = Layout(tmp_path)
    await provisioned(layout, admin_url)

    # Only the ways to Apple and Google are left to whoever knows better ones.
    told = set(tomllib.loads(layout.settings_file.read_text()))
    stand_ins = device_check_settings(layout, PORTS) | attestation_settings(layout)
    assert told == DECIDED_BY_SYSTEM | stand_ins.keys()


async def test_the_pace_of_the_story_is_a_setting_like_others(
    tmp_path: Path, admin_url: str
) -> None:
    layout = Layout(tmp_path)
    await provisioned(layout, admin_url, story_pace=True)

    values = tomllib.loads(layout.settings_file.read_text())
    assert values["chunk_period"] == "1m"
    assert values["publish_empty_runs"] == "false"
    await provisioned(layout, admin_url)
    assert "chunk_period" not in tomllib.loads(layout.settings_file.read_text())


async def test_chunks_whose_files_are_lost_are_withdrawn_and_numbers_go_on(
    tmp_path: Path, admin_url: str
) -> None:
    first, second = Layout(tmp_path / "first"), Layout(tmp_path / "second")
    for layout in (first, second):
        layout.root.mkdir()
    await provisioned(first, admin_url)
    first.chunks.mkdir()
    publish_chunk(admin_url, index=7)

    await provisioned(first, admin_url)
    assert published(admin_url) == ([7], 7)

    await provisioned(second, admin_url)
    assert published(admin_url) == ([], 7)


def publish_chunk(admin_url: str, *, index: int) -> None:
    """Leave what publishing leaves in the database."""
    with psycopg.connect(admin_url, dbname="immuni") as connection:
        connection.execute(
            "INSERT INTO publishing.chunk VALUES (%s, %s, 1, 1, %s, %s)",
            [index, bytes(32), NOON, NOON.replace(hour=16)],
        )
        connection.execute("UPDATE publishing.progress SET newest_index = %s", [index])


def published(admin_url: str) -> tuple[list[int], int]:
    """Return the numbers of all chunks, and the last that was given."""
    with psycopg.connect(admin_url, dbname="immuni") as connection:
        numbers = connection.execute("SELECT index FROM publishing.chunk ORDER BY index").fetchall()
        (newest,) = connection.execute("SELECT newest_index FROM publishing.progress").fetchall()
    return [number for (number,) in numbers], newest[0]


async def test_a_clock_far_off_makes_new_certificates_and_no_new_keys(
    tmp_path: Path, admin_url: str
) -> None:
    layout = Layout(tmp_path)
    await provisioned(layout, admin_url)
    before = secrets(layout)
    years_later = ManualClock(SystemClock().now().replace(year=SystemClock().now().year + 20))

    await provision(layout, PORTS, admin_url, clock=years_later, story_pace=False)

    after = secrets(layout)
    changed = {name for name in before if before[name] != after[name]}
    assert changed
    assert all(name.startswith("certificates/") for name in changed)
