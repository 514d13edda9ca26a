"""``immuni up --nginx``: the system as phones reach it through nginx."""

import os
import signal
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.integration.deployment.existing_phone import (
    ExistingPhone,
    authorise,
    chunks,
    index,
    new_otp,
)
from tests.processes import held, processes_naming, survivors
from tests.running import RunningSystem, eventually, running_system

pytestmark = pytest.mark.timeout(300)


def of_nginx(system: RunningSystem) -> dict[int, str]:
    """Return the processes of nginx: the one that leads, and its workers."""
    (group,) = processes_naming(system.data_dir / "run" / "nginx" / "nginx.conf")
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return {pid: "nginx" for pid in pids if group_of(pid) == group}


def group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None  # It has ended since the folder was listed.


def newest(system: RunningSystem) -> int | None:
    try:
        return index(system.told)[1] or None
    except httpx.HTTPError:
        return None


def test_phones_reach_the_system_through_nginx_which_lives_and_ends_with_it(
    tmp_path: Path,
) -> None:
    with running_system(tmp_path, "--without-phones", "--nginx") as system:
        told = system.told
        front = f"http://127.0.0.1:{system.base_port + 8}"
        assert (told["get"], told["upload"], told["analytics"]) == (front, front, front)
        assert httpx.get(f"{front}/v1/keys/index", trust_env=False).headers["server"] == "nginx"
        otp = new_otp()
        assert authorise(told, otp).is_success
        assert ExistingPhone(told).upload(otp).is_success
        # At its first start a system makes up for the run that it missed.
        (chunk,) = chunks(told, [eventually(partial(newest, system))])
        assert chunk.startswith(b"PK")

        fallen = of_nginx(system)
        with held(fallen) as processes:
            assert len(processes) > 1
            os.kill(min(fallen), signal.SIGKILL)
            assert survivors(processes, after_seconds=30) == []
        assert eventually(partial(newest, system))

        with held(of_nginx(system)) as processes:
            assert {each.pid for each in processes}.isdisjoint(fallen)
            assert system.stop() == 0
            assert survivors(processes, after_seconds=10) == []
