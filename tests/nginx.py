"""A real nginx in front of applications of a test, told what it is told in production."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from immuni.backend.contract import HttpSettings
from immuni.clock import SystemClock
from immuni.deployment.folder_lock import FolderLock
from immuni.deployment.nginx import find_nginx, part_of
from immuni.deployment.nginx_site import PUBLIC_ROLES, Front, Site
from immuni.deployment.roles import LOOPBACK, Role
from immuni.deployment.supervisor import Supervisor
from tests.running import a_free_base_port


@dataclass(frozen=True, slots=True)
class Before:
    """A running nginx.

    Attributes:
        client: Speaks to it.
        port: Where it listens.
        folder: Holds everything that it writes.
    """

    client: httpx.AsyncClient
    port: int
    folder: Path


@asynccontextmanager
async def nginx_before(
    services: Mapping[Role, httpx.AsyncClient],
    folder: Path,
    *,
    certificate: tuple[Path, Path] | None = None,
) -> AsyncIterator[Before]:
    """Put nginx in front of services for as long as the block runs.

    Args:
        services: Clients of the services; behind the other roles there is nobody.
        folder: Where nginx may write.
        certificate: Files of a certificate and its key; with them it speaks TLS.
    """
    port = a_free_base_port()
    nobody = f"{LOOPBACK}:{port + 1}"
    front = Front(
        sites=[
            Site(
                listen=[f"{LOOPBACK}:{port}{' ssl' if certificate else ''}"],
                certificate=certificate,
            )
        ],
        upstreams={
            role: services[role].base_url.netloc.decode() if role in services else nobody
            for role in PUBLIC_ROLES
        },
        cache=folder / "chunks",
        failures_log=folder / "failures.log",
        http=HttpSettings(),
        head="",
    )
    async with running(front, folder, port):
        url = f"{'https' if certificate else 'http'}://{LOOPBACK}:{port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, verify=False) as client:  # noqa: S501 - the certificate signs itself
            yield Before(client, port, folder)


@asynccontextmanager
async def running(front: Front, folder: Path, port: int) -> AsyncIterator[None]:
    """Run nginx under a supervisor for as long as the block runs."""
    part = part_of(find_nginx(), front, folder=folder, log=folder / "nginx.log", port=port)
    with _a_lock(folder) as lock:
        supervisor = Supervisor([part], environment=os.environ, lock=lock, clock=SystemClock())
        try:
            await supervisor.start()
            yield
        finally:
            await supervisor.stop()


@contextmanager
def _a_lock(folder: Path) -> Iterator[FolderLock]:
    lock = FolderLock(folder / "lock")
    lock.acquire()
    try:
        yield lock
    finally:
        lock.release()
