"""A real nginx in front of the public hosts, for one machine: one process of the supervisor's.

Everything that it writes lies in the data folder, and all of it is forgotten at the next start.
"""

import asyncio
import os
import pwd
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from immuni.backend.contract import HttpSettings
from immuni.deployment.layout import Layout
from immuni.deployment.nginx_site import PUBLIC_ROLES, Front, Site, templates
from immuni.deployment.private_files import write_private
from immuni.deployment.roles import LOOPBACK, Ports
from immuni.deployment.supervisor import Part
from immuni.errors import ImmuniError

_POLL: Final = timedelta(milliseconds=20)
# Debian keeps it where ordinary users do not look for programs.
_SYSTEM_FOLDERS: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")
_HEAD: Final = "# Written by `immuni up --nginx` at each start."


class NginxMissingError(ImmuniError, OSError):
    """There is no nginx on this machine; nothing was started."""


def find_nginx(places: Sequence[str] | None = None) -> Path:
    """Return the program.

    Args:
        places: Folders to look into; by default beside this Python, on the PATH, and where systems
            keep theirs.

    Raises:
        NginxMissingError: It is nowhere.
    """
    if places is None:
        beside = str(Path(sys.executable).parent)
        places = [beside, os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS]
    found = shutil.which("nginx", path=os.pathsep.join(places))
    if found is None:
        raise NginxMissingError(
            "there is no nginx on this machine; type `sudo apt-get install nginx` (its own service "
            "on port 80 is not needed: `sudo systemctl disable --now nginx`)"
        )
    return Path(found)


def nginx_part(program: Path, layout: Layout, ports: Ports, http: HttpSettings) -> Part:
    """Write the configuration, and return the process that the supervisor has to run.

    Args:
        program: nginx.
        layout: The data folder.
        ports: Where the services listen, and nginx in front of them.
        http: The limits of the services.
    """
    front = Front(
        sites=[Site(listen=[f"{LOOPBACK}:{ports.nginx}"])],
        upstreams={role: f"{LOOPBACK}:{ports.of(role)}" for role in PUBLIC_ROLES},
        cache=layout.nginx / "chunks",
        failures_log=layout.logs / "nginx-failures.log",
        http=http,
        head=_HEAD,
    )
    return part_of(
        program, front, folder=layout.nginx, log=layout.logs / "nginx.log", port=ports.nginx
    )


def part_of(program: Path, front: Front, *, folder: Path, log: Path, port: int) -> Part:
    """Write the configuration of an nginx of its own, and return its process.

    Args:
        program: nginx.
        front: What it is told.
        folder: Where it keeps everything but its logs; it exists.
        log: The file for its standard error.
        port: One on which it will listen, on loopback.
    """
    main = templates().get_template("nginx.conf.jinja").render(folder=folder, user=_worker_user())
    write_private(folder / "site.conf", front.text().encode())
    write_private(folder / "nginx.conf", main.encode())
    # Told on the command line as well: by then its own default is a file that only root may write.
    command = [str(program), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return Part(
        "nginx",
        command,
        log,
        answers=partial(_listens, port),
        stop_signal=signal.SIGQUIT,
        is_heard=False,
    )


def _worker_user() -> str | None:
    """Return the user of the workers where nginx would change to another one, else None."""
    return pwd.getpwuid(0).pw_name if os.geteuid() == 0 else None


async def _listens(port: int, process: Process) -> bool:
    """Wait until the port is taken, and return whether by a process that is still alive."""
    while process.returncode is None:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(LOOPBACK, port)
            writer.close()
            await writer.wait_closed()
            return process.returncode is None
        await asyncio.sleep(_POLL.total_seconds())
    return False
