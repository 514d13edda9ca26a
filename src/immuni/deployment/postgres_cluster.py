"""The data folder of the embedded PostgreSQL: made whole or not at all, with its password."""

import secrets
import shutil
from pathlib import Path
from typing import Final

from immuni.deployment.postgres_programs import PostgresPrograms
from immuni.deployment.private_files import synchronise_folder, write_private

SUPERUSER: Final = "postgres"
_PASSWORD_BYTES: Final = 24


def prepare_cluster(folder: Path, programs: PostgresPrograms) -> str:
    """Make sure that ``folder/data`` is a sound cluster that is not running.

    Returns:
        The superuser's password. It is kept in ``folder/password``; when only that file is
        lost, the superuser gets a new one.

    Raises:
        PostgresProgramsError: The cluster cannot be made; there is none, as before.
    """
    data, password_file = folder / "data", folder / "password"
    if not data.exists():
        return _create(folder, programs)
    _forget_dead_server(data)
    if not password_file.exists():
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        _set_password(data, programs, password)
        # Written last: a crash before this line leads here again.
        _write_password(password_file, programs, password)
    return password_file.read_text()


def _create(folder: Path, programs: PostgresPrograms) -> str:
    """Make the cluster under another name and rename it: one that exists is complete."""
    unfinished = folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    _write_password(folder / "password", programs, password)
    programs.run(
        "initdb",
        f"--pgdata={unfinished}",
        f"--username={SUPERUSER}",
        f"--pwfile={folder / 'password'}",
        "--auth=scram-sha-256",
        "--data-checksums",
        *_locale(programs.version),
        cwd=folder,
    )
    unfinished.rename(folder / "data")
    synchronise_folder(folder)
    return password


def _locale(version: int) -> list[str]:
    """The same order and case rules on every machine, whatever locales it has."""
    if version < 17:
        return ["--encoding=UTF8", "--locale=C"]
    return [
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    ]


def _set_password(data: Path, programs: PostgresPrograms, password: str) -> None:
    """Replace the superuser's password without logging in, as only the cluster's owner can."""
    programs.run(
        "postgres",
        "--single",
        "-D",
        data,
        "postgres",
        cwd=data.parent,
        stdin=f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n",
    )


def _write_password(path: Path, programs: PostgresPrograms, password: str) -> None:
    user = programs.user
    write_private(path, password.encode(), uid=user.uid, gid=user.gid)


def _forget_dead_server(data: Path) -> None:
    """Remove the pid file of a server that was killed, when its pid is no PostgreSQL's any more.

    In a container a restart gives the same few pids to other programs, and the server would
    take one of them for itself. Whether a PostgreSQL of that pid is in the way it decides alone.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = pid_file.read_text().partition("\n")[0]
    program = Path("/proc", pid, "comm")
    if not program.exists() or program.read_text().strip() != "postgres":
        pid_file.unlink()
