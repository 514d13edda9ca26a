"""``immuni up``: bring up the database and every process, tell where they are, stop cleanly."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from immuni.backend.contract import HttpSettings
from immuni.clock import SystemClock
from immuni.deployment.apple import apple_part
from immuni.deployment.certificates import InternalCertificates
from immuni.deployment.configured import read_configured
from immuni.deployment.demo_accounts import DemoAccount
from immuni.deployment.embedded_postgres import EmbeddedPostgres
from immuni.deployment.folder_lock import FolderLock
from immuni.deployment.layout import DataFolderError, Layout
from immuni.deployment.nginx import find_nginx, nginx_part
from immuni.deployment.phone_links import phone_link, world_link
from immuni.deployment.ports import require_free
from immuni.deployment.provision import DECIDED_BY_SYSTEM, provision
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.deployment.settings import (
    apple_url,
    loopback_url,
    nginx_url,
)
from immuni.deployment.signing_keys import export_public_key
from immuni.deployment.stopping import on_stop_signals
from immuni.deployment.supervisor import Supervisor, role_part
from immuni.deployment.wiring.jobs import METRICS_VARIABLE
from immuni.settings import ENVIRONMENT_PREFIX
from immuni.telemetry import logger

_DATABASE_POLL: Final = timedelta(seconds=1)
_log = logger("up")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What a person may choose about a system on this machine.

    Attributes:
        data_dir: Where everything is kept.
        base_port: First of fourteen neighbouring ports.
        external_database: An administrator's URL; None for the embedded PostgreSQL.
        phones: Number of virtual phones.
        nginx: Whether nginx stands in front of the public hosts.
        story_pace: Publish each minute what there is, so that nobody waits for hours.
    """

    data_dir: Path
    base_port: int
    external_database: str | None = None
    phones: int = 2
    nginx: bool = False

    @property
    def story_pace(self) -> bool:
        """Whether chunks appear each minute, as people who watch the phones expect."""
        return self.phones > 0


@dataclass(frozen=True, slots=True)
class Running:
    """A system that answers.

    Attributes:
        data_dir: Where it keeps everything.
        ports: Where its parts listen.
        phones: The links that open the virtual phones' Apps.
        world: The link that opens the page of both; None without phones.
        demo_accounts: Accounts of the portal for demonstrations.
        nginx: Whether nginx stands in front of the public hosts.
    """

    data_dir: Path
    ports: Ports
    phones: tuple[str, ...]
    demo_accounts: tuple[DemoAccount, ...]
    nginx: bool = False
    world: str | None = None

    def addresses(self) -> dict[str, str]:
        """Return what people open or call, by part; beside them stand `phones`."""
        servers = {
            "settings, index, chunks": self._public(Role.GET),
            "upload": self._public(Role.UPLOAD),
            "analytics": self._public(Role.ANALYTICS),
            "OTP Service (mutual TLS)": loopback_url(Role.OTP, self.ports),
            "settings' authors (mutual TLS)": loopback_url(Role.SETTINGS, self.ports),
            "stand-in for Apple": apple_url(self.ports),
            "metrics": f"{self._metrics()}/metrics",
        }
        people = {
            "portal": loopback_url(Role.PORTAL, self.ports),
            "dashboard": loopback_url(Role.DASHBOARD, self.ports),
        }
        return people | servers

    def as_json(self) -> dict[str, object]:
        """Return the addresses, files and accounts that scripts need."""
        layout = Layout(self.data_dir)
        certificates = InternalCertificates(layout.certificates)
        return {
            "get": self._public(Role.GET),
            "upload": self._public(Role.UPLOAD),
            "analytics": self._public(Role.ANALYTICS),
            "otp": loopback_url(Role.OTP, self.ports),
            "otp_ca": str(certificates.trusted),
            "otp_client_cert": str(certificates.client.certificate),
            "otp_client_key": str(certificates.client.key),
            "portal": loopback_url(Role.PORTAL, self.ports),
            "dashboard": loopback_url(Role.DASHBOARD, self.ports),
            "apple": apple_url(self.ports),
            "metrics": self._metrics(),
            "world": self.world,
            "phones": list(self.phones),
            "demo_accounts": [asdict(account) for account in self.demo_accounts],
            "export_public_key": str(export_public_key(layout)),
            "data_dir": str(self.data_dir),
        }

    def _public(self, role: Role) -> str:
        return nginx_url(self.ports) if self.nginx else loopback_url(role, self.ports)

    def _metrics(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.of(Role.JOBS)}"


async def run_until_stopped(options: UpOptions, announce: Callable[[Running], None]) -> None:
    """Bring the system up, announce it, and keep it running until SIGTERM or Ctrl-C.

    Raises:
        SettingsError: A variable of the environment is wrong; nothing was started.
        DataFolderError: The data folder cannot be used; nothing was started.
        FolderInUseError: Another system runs on the same data; nothing was started.
        PortTakenError: A port is not free; nothing was started.
        NginxMissingError: nginx is wanted and not there; nothing was started.
        RoleFailedError: A process did not come up or fell too often; all were stopped.
    """
    task = asyncio.current_task()
    on_stop_signals(lambda: task and task.cancel())
    # The signal cancels whatever goes on, be it starting or running; leaving the context stops it.
    with contextlib.suppress(asyncio.CancelledError):
        async with running_system(options) as (running, supervisor):
            announce(running)
            await supervisor.watch()


@asynccontextmanager
async def running_system(options: UpOptions) -> AsyncIterator[tuple[Running, Supervisor]]:
    """Bring the system up for as long as the context lasts.

    Raises:
        SettingsError: A variable of the environment is wrong; nothing was started.
        DataFolderError: The data folder cannot be used; nothing was started.
        FolderInUseError: Another system runs on the same data; nothing was started.
        PortTakenError: A port is not free; nothing was started.
        NginxMissingError: nginx is wanted and not there; nothing was started.
        RoleFailedError: A process did not come up; all were stopped.
    """
    layout = Layout(options.data_dir.resolve())
    ports = Ports(options.base_port)
    # A variable with a fault would stop every process, one after the other: tell it before.
    configured = read_configured(None)
    program = find_nginx() if options.nginx else None
    async with AsyncExitStack() as stack:
        lock = stack.enter_context(_sole_use(layout))
        admin_url = await stack.enter_async_context(_database(options, layout, ports))
        require_free(ports.all(phones=options.phones, nginx=options.nginx))
        accounts = await provision(
            layout, ports, admin_url, clock=SystemClock(),
            story_pace=options.story_pace, nginx=options.nginx,
        )  # fmt: skip
        parts = [
            role_part(role, settings_file=layout.settings_file, log=layout.log_of(role))
            for role in Role
            if options.phones or role is not Role.PHONES
        ]
        parts.append(apple_part(layout, ports))
        if program is not None:
            parts.append(nginx_part(program, layout, ports, configured.of(HttpSettings)))
        supervisor = Supervisor(
            parts,
            environment=_environment(layout),
            lock=lock,
            clock=SystemClock(),
        )
        await supervisor.start()
        try:
            links = tuple(phone_link(number, ports, layout) for number in range(options.phones))
            world = world_link(ports, layout) if options.phones else None
            yield Running(layout.root, ports, links, accounts, options.nginx, world), supervisor
        finally:
            await supervisor.stop()


@contextmanager
def _sole_use(layout: Layout) -> Iterator[FolderLock]:
    lock = FolderLock(layout.root / "lock")
    try:
        _take(layout, lock)
        yield lock
    finally:
        lock.release()


def _take(layout: Layout, lock: FolderLock) -> None:
    try:
        layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
        layout.prepare()
    except OSError as error:
        raise DataFolderError(
            f"{layout.root} cannot be the data folder: {error.strerror}; "
            "choose another one with --data-dir"
        ) from error


def _environment(layout: Layout) -> dict[str, str]:
    """Return what the processes see: our environment, without what this system decides itself.

    Addresses and logins that are meant for another system must not lead this one astray.
    """
    decided = {ENVIRONMENT_PREFIX + name.upper() for name in DECIDED_BY_SYSTEM}
    inherited = {name: text for name, text in os.environ.items() if name.upper() not in decided}
    return inherited | {METRICS_VARIABLE: str(layout.metrics)}


@asynccontextmanager
async def _database(options: UpOptions, layout: Layout, ports: Ports) -> AsyncIterator[str]:
    if options.external_database is not None:
        yield options.external_database
        return
    postgres = EmbeddedPostgres(layout.postgres, port=ports.postgres)
    url = postgres.start()
    keeping = asyncio.create_task(_keep(postgres))
    try:
        yield url
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        postgres.stop()


async def _keep(postgres: EmbeddedPostgres) -> None:
    """Start the server again when it falls, as it is done with every process."""
    while True:
        await asyncio.sleep(_DATABASE_POLL.total_seconds())
        if not postgres.running:
            _log.warning("postgres_fell")
            try:
                # Both may take long; signals and fallen processes must not wait for them.
                await asyncio.to_thread(postgres.stop)
                await asyncio.to_thread(postgres.start)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next try may succeed
                _log.error("postgres_did_not_start", kind=type(error).__name__)
