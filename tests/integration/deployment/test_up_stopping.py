"""``immuni up``: how it stops, and what is there at the next start."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest

from immuni.deployment.layout import Layout
from tests.integration.deployment.existing_phone import chunks, index, publish_an_upload
from tests.processes import HeldProcess, held, processes_naming, survivors
from tests.running import (
    STOPPED_WITHIN_SECONDS,
    RunningSystem,
    a_free_base_port,
    eventually,
    immuni,
    running_system,
)

ENDED_WITHIN_SECONDS: Final = 40
# The phones are the last to come up.
BEGUN_WITHIN_SECONDS: Final = 100

pytestmark = pytest.mark.timeout(400)


@contextmanager
def tree_of(system: RunningSystem) -> Iterator[list[HeldProcess]]:
    """Hold on to every process that has the data folder in its command line."""
    with held(processes_naming(system.data_dir)) as processes:
        # The supervisor, PostgreSQL, eight roles, and the stand-in for Apple.
        assert len(processes) == 11
        yield processes


def complaints(system: RunningSystem) -> str:
    """Return what a stopped system wrote to its standard error."""
    assert system.process.stderr is not None
    return system.process.stderr.read()


def fail_to_sign_in(system: RunningSystem) -> None:
    """Leave an event in the portal."""
    origin = system.told["portal"]
    answer = httpx.post(
        f"http://127.0.0.1:{urlsplit(origin).port}/sign-in",
        data={"user": "nobody", "password": "a wrong password"},
        headers={"Origin": origin},
        trust_env=False,
        timeout=30,
    )
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_signals_stop_everything_and_the_next_start_finds_everything(tmp_path: Path) -> None:
    with running_system(tmp_path, "--without-phones") as first, tree_of(first) as processes:
        newest = publish_an_upload(first.told)
        files = chunks(first.told, range(1, newest + 1))

        heads = Layout(first.data_dir).audit_heads
        assert len(heads.read_text().splitlines()) == 1
        fail_to_sign_in(first)

        assert first.stop(signal.SIGTERM) == 0

        # What was done since the start is told of before the portal ends.
        assert len(heads.read_text().splitlines()) == 2
        assert survivors(processes, after_seconds=ENDED_WITHIN_SECONDS) == []
        assert processes_naming(tmp_path) == {}
        assert complaints(first) == ""

    with running_system(tmp_path, "--without-phones") as second, tree_of(second) as processes:
        assert second.told["demo_accounts"] == first.told["demo_accounts"]
        assert chunks(second.told, range(1, newest + 1)) == files
        assert publish_an_upload(second.told) > newest

        # People who wait press Ctrl-C again.
        second.process.send_signal(signal.SIGINT)
        assert second.stop(signal.SIGINT) == 0

        assert survivors(processes, after_seconds=ENDED_WITHIN_SECONDS) == []
        assert complaints(second) == ""


def test_when_the_supervisor_is_killed_everything_ends_and_the_next_start_works(
    tmp_path: Path,
) -> None:
    base_port = a_free_base_port()
    with (
        running_system(tmp_path, "--without-phones", base_port=base_port) as killed,
        tree_of(killed) as processes,
    ):
        newest = publish_an_upload(killed.told)
        killed.process.kill()
        killed.process.wait()

        # At once, and on the same ports: it waits for what is left of the one before.
        with running_system(tmp_path, "--without-phones", base_port=base_port) as successor:
            assert survivors(processes, after_seconds=0) == []
            assert index(successor.told)[1] >= newest
            assert publish_an_upload(successor.told) > newest
            assert successor.stop(signal.SIGHUP) == 0


def test_phones_whose_first_start_was_interrupted_come_up_at_the_next(
    tmp_path: Path,
) -> None:
    command = immuni("up", "--data-dir", tmp_path, "--base-port", str(a_free_base_port()), "--json")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            eventually(lambda: begun(tmp_path), within_seconds=BEGUN_WITHIN_SECONDS)
            with held(processes_naming(tmp_path)) as processes:
                process.terminate()
                assert process.wait(STOPPED_WITHIN_SECONDS) == 0
                assert survivors(processes, after_seconds=ENDED_WITHIN_SECONDS) == []
        finally:
            process.kill()
        assert process.communicate() == (b"", b"")

    with running_system(tmp_path) as system:
        assert [first_page(url).status_code for url in system.told["phones"]] == [HTTPStatus.OK] * 2
        assert first_page(system.told["phones"][1]).url.path == "/", "B is ready"


def begun(data_dir: Path) -> bool | None:
    """Tell that the phones are being made, or nothing."""
    return (Layout(data_dir).phones / "phone-b" / "app.db").exists() or None


def first_page(link: str) -> httpx.Response:
    """Open a phone's App: its name means this machine in every browser, if not everywhere."""
    address = urlsplit(link)
    with httpx.Client(
        base_url=f"http://127.0.0.1:{address.port}",
        headers={"Host": address.netloc, "Origin": f"http://{address.netloc}"},
        trust_env=False,
    ) as browser:
        browser.post("/open", data={"secret": address.fragment})
        return browser.get("/", follow_redirects=True)
