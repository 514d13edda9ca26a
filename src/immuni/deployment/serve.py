"""``immuni serve ROLE``: one process, one role, until it is asked to stop."""

import asyncio
import sys
from importlib import import_module
from pathlib import Path

from prometheus_client import REGISTRY

from immuni.clock import SystemClock
from immuni.deployment.collecting import collect_rarely
from immuni.deployment.configured import read_configured
from immuni.deployment.open_files import allow_open_files
from immuni.deployment.roles import Role
from immuni.deployment.serving import Server
from immuni.deployment.settings import DeploymentSettings, LogFormat
from immuni.deployment.stopping import on_stop_signals
from immuni.deployment.supervisor import READY_LINE
from immuni.deployment.wiring import NEEDED, Wiring
from immuni.entropy import SystemEntropy
from immuni.telemetry import configure_logs


async def serve_role(role: Role, config: Path | None) -> None:
    """Run one role until SIGTERM or Ctrl-C, and finish what was begun.

    Prints one line on standard output when the role answers.

    Raises:
        SettingsError: Some settings are wrong or missing; nothing was started.
    """
    configured = read_configured(config)
    configured.require(NEEDED[role])
    clock = configured.of(DeploymentSettings).clock(SystemClock())
    wiring = Wiring.of(configured, clock=clock, entropy=SystemEntropy(), registry=REGISTRY)
    configure_logs(
        level=wiring.deployment.log_level,
        json=wiring.deployment.log_format is LogFormat.JSON,
    )
    allow_open_files()
    # Only the role's own module is imported: a server need not know a Bluetooth stack.
    module = import_module(f"immuni.deployment.wiring.{role}")
    async with module.servers(wiring) as servers:
        collect_rarely()
        await _serve_until_stopped(servers)


async def _serve_until_stopped(servers: list[Server]) -> None:
    waiting = len(servers)

    async def one_more_answers() -> None:
        nonlocal waiting
        waiting -= 1
        if waiting == 0:
            sys.stdout.buffer.write(READY_LINE)
            sys.stdout.flush()

    def stop() -> None:
        for server in servers:
            server.stop()

    on_stop_signals(stop)
    for server in servers:
        server.on_ready = one_more_answers
    await asyncio.gather(*(server.serve() for server in servers))
