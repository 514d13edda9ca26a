"""``immuni up``: what falls is started again, and the rest goes on."""

import os
import signal
from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from tests.integration.deployment.existing_phone import index, portal_tls, publish_an_upload
from tests.processes import held, processes_naming
from tests.running import RunningSystem, eventually

FALLEN_WITHIN_SECONDS: Final = 40
MENDED_WITHIN_SECONDS: Final = 60

pytestmark = pytest.mark.timeout(300)


def process_with(*arguments: object) -> int:
    """Return the one process that has these arguments, one after the other."""
    (pid,) = processes_naming("\0".join(map(str, arguments)))
    return pid


def kill(pid: int) -> None:
    """Kill a process, and wait for its end."""
    with held({pid: ""}) as (process,):
        os.kill(pid, signal.SIGKILL)
        assert process.ends_within(FALLEN_WITHIN_SECONDS)


def is_ready(told: Mapping[str, Any], part: str) -> bool | None:
    """Tell that a server is ready, or nothing."""
    address = urlsplit(told[part])
    url = address._replace(netloc=f"127.0.0.1:{address.port}", path="/readyz").geturl()
    try:
        with httpx.Client(verify=portal_tls(told), trust_env=False, timeout=10) as client:
            return client.get(url, headers={"Host": address.netloc}).is_success or None
    except httpx.TransportError:
        return None


def test_a_killed_process_is_started_again_and_answers(system: RunningSystem) -> None:
    role = ("serve", "analytics", "--config", system.data_dir / "immuni.toml")
    fallen = process_with(*role)

    kill(fallen)

    assert eventually(
        lambda: is_ready(system.told, "analytics"), within_seconds=MENDED_WITHIN_SECONDS
    )
    assert process_with(*role) != fallen


def test_a_killed_database_is_started_again_and_loses_nothing(system: RunningSystem) -> None:
    newest = publish_an_upload(system.told)

    kill(process_with("-D", system.data_dir / "postgres" / "data"))

    for part in ("get", "upload", "analytics", "otp", "portal", "dashboard"):
        eventually(partial(is_ready, system.told, part), within_seconds=MENDED_WITHIN_SECONDS)
    assert index(system.told) == (1, newest)
    assert publish_an_upload(system.told) == newest + 1
