"""A real PostgreSQL of our own, for one machine: created, started and stopped with the system.

The data are kept and synchronised as in any PostgreSQL. The server listens on a socket in a folder
that only its user may enter, asks everybody for a password, and ends with the process that
started it.
"""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from immuni.deployment.folder_lock import FolderLock
from immuni.deployment.postgres_cluster import SUPERUSER, prepare_cluster
from immuni.deployment.postgres_programs import (
    PostgresError,
    PostgresPrograms,
    ServerUser,
    find_programs,
    server_environment,
    server_user,
)
from immuni.deployment.private_files import make_private_folder

_SOCKET_PORT: Final = 5432
_MAX_SOCKET_PATH_BYTES: Final = 107
_START_LIMIT: Final = timedelta(minutes=2)
_STOP_LIMIT: Final = timedelta(seconds=30)
_POLL: Final = timedelta(milliseconds=10)
_SETTINGS: Final[Mapping[str, str]] = {
    "max_connections": "150",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The keys of two weeks have an index of half a gigabyte, which a chunk's random keys touch all
    # over: in the default 128 MB each page is written out and read again, and each checkpoint,
    # by default after 1 GB of log, has all of them logged whole once more. Memory is taken only as
    # it is used.
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    # A statement, or the detail of a violated key, may hold what no log may hold.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class PostgresStartError(PostgresError):
    """The server did not come up; it has been stopped, and its data are as they were."""


class PostgresFolderError(PostgresError):
    """The folder cannot be given to the user that must run the server; it is as it was."""


class EmbeddedPostgres:
    """One PostgreSQL server on one folder.

    Layout:
        ``data/`` the cluster, ``run/`` the socket, ``password`` the superuser's, ``server.log``
        (and the one of the run before), ``lock`` held by whoever runs the server.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        """Describe the server; nothing happens before `start`.

        Args:
            folder: Where everything is kept; made when it is missing.
            port: TCP port on 127.0.0.1, used only where the socket's path would be too long;
                any free one by default.
            settings: Server settings that replace the defaults.
        """
        self._folder = folder.absolute()
        self._port = port
        self._settings = {**_SETTINGS, **(settings or {})}
        self._lock = FolderLock(self._folder / "lock")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Create the cluster if there is none, start the server, and wait until it answers.

        Returns:
            The superuser's URL.

        Raises:
            FolderInUseError: Another process runs it; that one is left alone.
            PostgresFolderError: The folder cannot be made the server's.
            PostgresProgramsError: The programs are missing or may not be run.
            PostgresStartError: The server gave up; the message holds the end of its log.
        """
        user = server_user(self._folder / "data")
        _hand_over(self._folder, user)
        self._lock.acquire(uid=user.uid, gid=user.gid)
        try:
            _hand_over(self._folder / "run", user)
            programs = find_programs(self._folder / "data", user)
            programs.check(self._folder)
            password = prepare_cluster(self._folder, programs)
            address = _choose_address(self._folder / "run", self._port)
            self._process = self._spawn(programs, address)
            self._await_ready(self._process)
        except BaseException:
            self.stop()
            raise
        return f"postgresql://{SUPERUSER}:{password}@{address.location}"

    def stop(self) -> None:
        """Shut the server down: fast, clean, with a checkpoint. Does nothing when it is down."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_STOP_LIMIT.total_seconds())
            except subprocess.TimeoutExpired:
                # An immediate shutdown loses nothing that was committed: the next start recovers.
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()
            self._process = None
        self._lock.release()

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server."""
        self.stop()

    def _spawn(self, programs: PostgresPrograms, address: "_Address") -> subprocess.Popen[bytes]:
        settings = {**self._settings, **address.settings}
        command = programs.command(
            "postgres",
            "-D",
            self._folder / "data",
            *(f"--{name}={value}" for name, value in settings.items()),
            cwd=self._folder,
        )
        log = self._folder / "server.log"
        if log.exists():
            log.replace(log.with_suffix(".log.previous"))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.fchown(descriptor, programs.user.uid, programs.user.gid)
            return _start_bound_to_this_process(
                command, cwd=self._folder, log=descriptor, lock=self._lock.fileno()
            )
        finally:
            os.close(descriptor)

    def _await_ready(self, server: subprocess.Popen[bytes]) -> None:
        """Wait until the server says in its pid file that it takes connections."""
        pid_file = self._folder / "data" / "postmaster.pid"
        deadline = time.monotonic() + _START_LIMIT.total_seconds()
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise PostgresStartError(f"PostgreSQL did not start: {self._last_words()}")
            lines = _lines_of(pid_file)
            if lines[:1] == [str(server.pid)] and lines[-1].strip() == "ready":
                return
            time.sleep(_POLL.total_seconds())
        raise PostgresStartError(f"PostgreSQL was not ready after {_START_LIMIT}")

    def _last_words(self) -> str:
        """Return the end of the server's log."""
        return (self._folder / "server.log").read_text(errors="replace").strip()[-2000:]


def _lines_of(pid_file: Path) -> list[str]:
    """Return what a starting server says of itself; one that gives up takes the file away."""
    try:
        return pid_file.read_text().splitlines()
    except FileNotFoundError:
        return []


def _hand_over(folder: Path, user: ServerUser) -> None:
    try:
        make_private_folder(folder, uid=user.uid, gid=user.gid)
    except PermissionError as error:
        raise PostgresFolderError(
            f"{folder} cannot be made a folder of user {user.uid} ({error}): start as an "
            "ordinary user, choose another folder, or use a PostgreSQL of your own"
        ) from error


@dataclass(frozen=True, slots=True)
class _Address:
    """Where the server listens: its settings, and what follows ``@`` in a URL."""

    settings: Mapping[str, str]
    location: str


def _choose_address(run: Path, port: int | None) -> _Address:
    """Take the socket in `run`, or the loopback interface where its path is not possible."""
    socket_path = os.fsencode(run / f".s.PGSQL.{_SOCKET_PORT}")
    # In the server's settings and in URLs a comma separates folders.
    if len(socket_path) <= _MAX_SOCKET_PATH_BYTES and b"," not in socket_path:
        settings = {
            "listen_addresses": "",
            "port": str(_SOCKET_PORT),
            "unix_socket_directories": str(run),
            "unix_socket_permissions": "0700",
        }
        query = f"host={quote(str(run), safe='')}&port={_SOCKET_PORT}"
        return _Address(settings, f"/postgres?{query}")
    chosen = port or _free_port()
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(chosen),
        "unix_socket_directories": "",
    }
    return _Address(settings, f"127.0.0.1:{chosen}/postgres")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _start_bound_to_this_process(
    command: list[str | Path], *, cwd: Path, log: int, lock: int
) -> subprocess.Popen[bytes]:
    """Start `command` so that it ends with this process, and not with the calling thread.

    The kernel sends the parent-death signal when the *thread* that started the child ends. So
    the child gets a thread of its own, which lives as long as it does.
    """
    started: Future[subprocess.Popen[bytes]] = Future()

    def keep() -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 - the wheel's programs, our arguments
                command,
                cwd=cwd,
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # The server keeps the folder locked for as long as any of its processes lives.
                pass_fds=(lock,),
                # Ctrl-C reaches the supervisor, which stops the server when all others are done.
                start_new_session=True,
            )
        except OSError as error:
            started.set_exception(PostgresStartError(f"PostgreSQL did not start: {error}"))
            return
        started.set_result(process)
        process.wait()

    threading.Thread(target=keep, name="postgres", daemon=True).start()
    return started.result()
