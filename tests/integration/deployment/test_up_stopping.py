"""``immuni up``: how it stops, how it falls, and what is there at the next start."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.integration.deployment.existing_phone import (
    ExistingPhone,
    authorise,
    chunks,
    index,
    new_otp,
)
from tests.processes import HeldProcess, held, processes_naming, survivors
from tests.running import (
    STOPPED_WITHIN_SECONDS,
    RunningSystem,
    a_free_base_port,
    ended,
    eventually,
    immuni,
    running_system,
)

ENDED_WITHIN_SECONDS: Final = 40
RESTARTED_WITHIN_SECONDS: Final = 60

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Past:
    """A data folder on which a system has run.

    Attributes:
        data_dir: The folder.
        told: What the system announced.
        files: The chunks that it published, from the first.
    """

    data_dir: Path
    told: Mapping[str, Any]
    files: tuple[bytes, ...]


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Past:
    """Run a system, let it publish an upload, and stop it."""
    data_dir = tmp_path_factory.mktemp("past")
    with running_system(data_dir, "--without-phones") as system:
        newest = publish_an_upload(system)
        files = tuple(chunks(system.told, range(1, newest + 1)))
        return Past(data_dir, system.told, files)


@contextmanager
def started_again(past: Past) -> Iterator[RunningSystem]:
    with running_system(past.data_dir, "--without-phones") as system:
        yield system


def publish_an_upload(system: RunningSystem) -> int:
    """Upload and publish, and return the number of the newest chunk when it can be downloaded."""
    _, before = index(system.told)
    phone, otp = ExistingPhone(system.told), new_otp()
    assert authorise(system.told, otp).is_success
    assert phone.upload(otp).is_success
    published = ended("jobs", "run", "publish", "--data-dir", system.data_dir)
    assert published.returncode == 0, published.stderr
    return eventually(lambda: newest_after(before, system))


def newest_after(number: int, system: RunningSystem) -> int | None:
    _, newest = index(system.told)
    return newest if newest > number else None


@contextmanager
def tree_of(system: RunningSystem) -> Iterator[list[HeldProcess]]:
    """Hold on to every process that has the data folder in its command line."""
    with held(processes_naming(system.data_dir)) as processes:
        # The supervisor, PostgreSQL, and six roles.
        assert len(processes) == 8
        yield processes


def role_process(system: RunningSystem, role: str) -> int:
    """Return the process that serves a role."""
    settings = system.data_dir / "immuni.toml"
    commands = processes_naming(f"{role}\0--config\0{settings}")
    (pid,) = commands
    return pid


def answers(url: str) -> bool | None:
    """Tell that a server is ready, or nothing."""
    try:
        return httpx.get(f"{url}/readyz", trust_env=False, timeout=10).is_success or None
    except httpx.TransportError:
        return None


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_every_process_with_exit_code_0(wanted: signal.Signals, past: Past) -> None:
    with started_again(past) as system, tree_of(system) as processes:
        assert system.stop(wanted) == 0

        assert survivors(processes, after_seconds=ENDED_WITHIN_SECONDS) == []
        assert processes_naming(system.data_dir) == {}
        assert system.process.stderr is not None
        assert system.process.stderr.read() == ""


def test_a_second_signal_does_not_break_the_orderly_stop(past: Past) -> None:
    with started_again(past) as system, tree_of(system) as processes:
        system.process.send_signal(signal.SIGINT)

        assert system.stop(signal.SIGINT) == 0
        assert survivors(processes, after_seconds=ENDED_WITHIN_SECONDS) == []


def test_the_next_start_finds_everything_as_it_was(past: Past) -> None:
    with started_again(past) as system:
        assert system.told["demo_accounts"] == past.told["demo_accounts"]
        assert Path(system.told["export_public_key"]).read_bytes()
        _, newest = index(system.told)
        assert newest >= len(past.files)
        assert tuple(chunks(system.told, range(1, len(past.files) + 1))) == past.files

        assert publish_an_upload(system) == newest + 1


def test_when_the_supervisor_is_killed_everything_ends_and_the_next_start_works(
    past: Past,
) -> None:
    base_port = a_free_base_port()
    with running_system(past.data_dir, "--without-phones", base_port=base_port) as killed:
        with tree_of(killed) as processes, open_connections(killed):
            killed.process.kill()
            killed.process.wait()

            # At once, and on the same ports: it waits for what is left of the one before.
            with running_system(
                past.data_dir, "--without-phones", base_port=base_port
            ) as successor:
                assert answers(successor.told["get"])
                assert survivors(processes, after_seconds=0) == []
                assert successor.stop() == 0


@contextmanager
def open_connections(system: RunningSystem) -> Iterator[None]:
    """Keep a request unfinished at each server, so that none of them ends at once."""
    ports = [system.base_port, system.base_port + 1, system.base_port + 2]
    connections = [socket.create_connection(("127.0.0.1", port)) for port in ports]
    try:
        for connection in connections:
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: unfinished\r\n")
        yield
    finally:
        for connection in connections:
            connection.close()


def test_a_killed_process_is_started_again_and_answers(past: Past) -> None:
    with started_again(past) as system:
        fallen = role_process(system, "analytics")

        os.kill(fallen, signal.SIGKILL)
        eventually(
            lambda: None if fallen in processes_naming(system.data_dir) else True,
            within_seconds=RESTARTED_WITHIN_SECONDS,
        )

        assert eventually(
            lambda: answers(system.told["analytics"]), within_seconds=RESTARTED_WITHIN_SECONDS
        )
        assert role_process(system, "analytics") != fallen
        assert system.stop() == 0


def test_a_killed_database_is_started_again_and_loses_nothing(past: Past) -> None:
    with started_again(past) as system:
        (postgres,) = processes_naming(f"-D\0{system.data_dir / 'postgres' / 'data'}")
        newest = publish_an_upload(system)

        with held({postgres: "postgres"}) as (held_postgres,):
            os.kill(postgres, signal.SIGKILL)
            assert held_postgres.ends_within(ENDED_WITHIN_SECONDS)
        for part in ("get", "upload", "analytics"):
            eventually(
                lambda part=part: answers(system.told[part]),  # type: ignore[misc]
                within_seconds=RESTARTED_WITHIN_SECONDS,
            )

        assert index(system.told)[1] == newest
        assert publish_an_upload(system) == newest + 1


def test_a_process_that_does_not_come_up_again_is_tried_more_than_once(past: Past) -> None:
    with started_again(past) as system:
        fallen = role_process(system, "analytics")
        with socket.socket() as squatter:
            squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            os.kill(fallen, signal.SIGKILL)
            eventually(lambda: listening(squatter, system.base_port + 2))
            log = system.data_dir / "logs" / "analytics.log"
            eventually(
                lambda: "address already in use" in log.read_text() or None,
                within_seconds=RESTARTED_WITHIN_SECONDS,
            )

        assert eventually(
            lambda: answers(system.told["analytics"]), within_seconds=RESTARTED_WITHIN_SECONDS
        )


def listening(server: socket.socket, port: int) -> bool | None:
    try:
        server.bind(("127.0.0.1", port))
    except OSError:
        return None
    server.listen()
    return True


def test_a_role_that_falls_again_and_again_stops_the_system_and_is_named(past: Past) -> None:
    with started_again(past) as system, tree_of(system) as processes:
        while system.process.poll() is None:
            for pid in processes_naming(f"upload\0--config\0{system.data_dir / 'immuni.toml'}"):
                os.kill(pid, signal.SIGKILL)

        assert system.process.returncode == 1
        assert system.process.stderr is not None
        assert "upload fell 6 times in a minute; see " in system.process.stderr.read()
        assert survivors(processes, after_seconds=ENDED_WITHIN_SECONDS) == []


def test_a_signal_during_the_start_leaves_nothing_running(tmp_path: Path) -> None:
    command = immuni("up", "--data-dir", tmp_path, "--base-port", str(a_free_base_port()), "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            # The phones are the last to come up: they have days to live through.
            eventually(
                lambda: processes_naming("serve\0phones\0").keys() & children(tmp_path) or None
            )
            with held(processes_naming(tmp_path)) as processes:
                process.terminate()

                assert process.wait(STOPPED_WITHIN_SECONDS) == 0
                assert survivors(processes, after_seconds=ENDED_WITHIN_SECONDS) == []
        finally:
            process.terminate()
        assert process.stdout is not None
        assert process.stdout.read() == b""
    assert processes_naming(tmp_path) == {}


def children(data_dir: Path) -> set[int]:
    """Return the processes of a system."""
    return set(processes_naming(data_dir))
