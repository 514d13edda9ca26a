import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from immuni.deployment.databases import relocate
from immuni.deployment.embedded_postgres import EmbeddedPostgres, PostgresStartError
from immuni.deployment.folder_lock import FolderInUseError
from immuni.deployment.postgres_programs import PostgresProgramsError

START_AND_WAIT = """
import sys
from pathlib import Path
from immuni.deployment.embedded_postgres import EmbeddedPostgres

server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.start(), flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "postgres"


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(folder)
    yield postgres
    postgres.stop()


@dataclass(frozen=True)
class Running:
    """A server that several tests look at, and none changes."""

    folder: Path
    url: str


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("running") / "postgres"
    postgres = EmbeddedPostgres(folder)
    yield Running(folder, postgres.start())
    postgres.stop()


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def keep(url: str, value: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT %s::int AS value", [value])


def server_pid(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().partition("\n")[0])


def test_what_was_committed_is_there_after_a_restart(server: EmbeddedPostgres) -> None:
    keep(server.start(), 7)
    server.stop()

    assert one(server.start(), "SELECT value FROM kept") == 7


def test_a_clean_stop_leaves_nothing_running(server: EmbeddedPostgres, folder: Path) -> None:
    server.start()
    assert server.running

    server.stop()

    assert not server.running
    assert not (folder / "data" / "postmaster.pid").exists()
    assert "database system is shut down" in (folder / "server.log").read_text()


def test_the_server_keeps_utc_and_sorts_by_code_point(running: Running) -> None:
    url = running.url

    assert one(url, "SHOW timezone") == "UTC"
    assert one(url, "SHOW server_encoding") == "UTF8"
    assert one(url, "SHOW fsync") == "on"
    assert one(url, "SELECT 'Z' < 'a' AND 'z' < 'à'") is True
    assert one(url, "SELECT upper('perché')") == "PERCHÉ"


@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_gets_in_without_the_password(running: Running, password: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(relocate(running.url, password=password))


def test_only_a_private_socket_leads_to_it(running: Running) -> None:
    folder = running.folder

    assert one(running.url, "SHOW listen_addresses") == ""
    assert parse_qs(urlsplit(running.url).query)["host"] == [str(folder / "run")]
    for private in (folder, folder / "run", folder / "data"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "password").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no privileges to drop")
def test_root_lends_it_nothing_but_the_way_through_private_folders(running: Running) -> None:
    status = Path(f"/proc/{server_pid(running.folder)}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert facts["Uid"] == "65534\t65534\t65534\t65534"
    assert facts["Gid"] == "65534\t65534\t65534\t65534"
    assert facts["Groups"].strip() == ""
    assert facts["NoNewPrivs"] == "1"
    # CAP_DAC_READ_SEARCH is bit 2: pytest's folders are private to root.
    assert int(facts["CapEff"], 16) == int(facts["CapBnd"], 16) == 1 << 2


def test_an_ordinary_user_runs_it_too(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    command = [sys.executable, "-c", START_AND_WAIT, str(folder / "postgres")]
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        # The tests' own folders may be private to root, so this user has to pass through them.
        passes = "-all,+dac_read_search"
        command = [
            *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
            *(f"--{kind}={passes}" for kind in ("inh-caps", "ambient-caps", "bounding-set")),
            *("--securebits", "+no_setuid_fixup", *command),
        ]

    done = subprocess.run(command, input="", capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("postgresql://postgres:")
    assert (folder / "postgres" / "data").stat().st_uid == folder.stat().st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no capabilities to lose")
def test_a_root_that_may_hand_nothing_over_is_told_so(folder: Path) -> None:
    powerless = [
        "setpriv",
        "--bounding-set=-all",
        sys.executable,
        "-c",
        START_AND_WAIT,
        str(folder),
    ]

    done = subprocess.run(powerless, input="", capture_output=True, text=True, check=False)

    assert "PostgresFolderError" in done.stderr
    assert "start as an ordinary user" in done.stderr


def test_a_creation_that_was_cut_off_is_done_again(server: EmbeddedPostgres, folder: Path) -> None:
    half = folder / "unfinished" / "base"
    half.mkdir(parents=True)
    (folder / "unfinished" / "PG_VERSION").write_text("18\n")

    assert one(server.start(), "SELECT 1") == 1
    assert not (folder / "unfinished").exists()


def test_a_killed_server_recovers_what_was_committed(
    server: EmbeddedPostgres, folder: Path
) -> None:
    keep(server.start(), 8)
    os.kill(server_pid(folder), signal.SIGKILL)
    server.stop()

    assert one(server.start(), "SELECT value FROM kept") == 8


def test_a_stale_pid_that_now_belongs_to_another_program_is_no_obstacle(
    server: EmbeddedPostgres, folder: Path
) -> None:
    server.start()
    server.stop()
    stale = f"{os.getpid()}\n{folder / 'data'}\n1700000000\n5432\n{folder / 'run'}\n\n"
    (folder / "data" / "postmaster.pid").write_text(stale)

    assert one(server.start(), "SELECT 1") == 1


def test_a_second_server_on_the_same_folder_is_refused(running: Running) -> None:
    with pytest.raises(FolderInUseError, match=str(os.getpid())):
        EmbeddedPostgres(running.folder).start()

    assert one(running.url, "SELECT 1") == 1


def test_the_server_ends_cleanly_when_its_parent_is_killed(
    server: EmbeddedPostgres, folder: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        keep(parent.stdout.readline().strip(), 9)
        parent.kill()

    # The folder becomes free when the last process of the server has ended.
    url = server.start()

    assert one(url, "SELECT value FROM kept") == 9
    assert "database system is shut down" in (folder / "server.log.previous").read_text()


def test_the_server_outlives_the_thread_that_started_it(server: EmbeddedPostgres) -> None:

    with ThreadPoolExecutor() as pool:
        url = pool.submit(server.start).result()

    assert one(url, "SELECT 1") == 1
    assert server.running


def test_a_lost_password_is_replaced_and_the_data_are_kept(
    server: EmbeddedPostgres, folder: Path
) -> None:
    before = server.start()
    keep(before, 10)
    server.stop()
    (folder / "password").unlink()

    after = server.start()

    assert one(after, "SELECT value FROM kept") == 10
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(before)


def test_where_the_sockets_path_is_too_long_it_listens_on_loopback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = EmbeddedPostgres(tmp_path / ("long" * 30), port=port)
    try:
        url = server.start()

        assert urlsplit(url).netloc.endswith(f"@127.0.0.1:{port}")
        assert one(url, "SHOW listen_addresses") == "127.0.0.1"
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(relocate(url, password="wrong"))
    finally:
        server.stop()


def test_a_taken_port_is_named_in_the_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = EmbeddedPostgres(tmp_path / ("long" * 30), port=taken.getsockname()[1])

        with pytest.raises(PostgresStartError, match="Address already in use"):
            server.start()

    assert not server.running


def test_a_cluster_of_a_version_that_is_not_there_is_left_alone(
    server: EmbeddedPostgres, folder: Path
) -> None:
    server.start()
    server.stop()
    (folder / "data" / "PG_VERSION").write_text("9\n")

    with pytest.raises(PostgresProgramsError, match="was made by PostgreSQL 9"):
        server.start()


def test_what_people_send_does_not_reach_the_servers_log(running: Running) -> None:
    with psycopg.connect(running.url) as connection:
        connection.execute("CREATE TEMPORARY TABLE t (value text PRIMARY KEY)")
        connection.execute("INSERT INTO t VALUES ('marked-secret')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO t VALUES ('marked-secret')")

    log = (running.folder / "server.log").read_text()
    assert "duplicate key value" in log
    assert "marked-secret" not in log
