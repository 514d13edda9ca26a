"""``immuni up``: what it refuses at once, in one line, with nothing left behind."""

import socket
from pathlib import Path

import pytest

from tests.processes import processes_naming
from tests.running import a_free_base_port, ended

pytestmark = pytest.mark.timeout(300)


def test_a_taken_port_is_named_and_nothing_is_left_running(tmp_path: Path) -> None:
    base_port = a_free_base_port()
    with socket.create_server(("127.0.0.1", base_port + 3)):
        refused = ended("up", "--data-dir", tmp_path, "--base-port", str(base_port), "--json")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"immuni: taken on 127.0.0.1: port {base_port + 3}; end the program that uses it, "
        "or choose another place with --base-port\n"
    )
    assert processes_naming(tmp_path) == {}


@pytest.mark.parametrize(
    ("place", "reason"),
    [("a file", "File exists"), ("a file/below", "Not a directory"), ("proc", "No such file")],
)
def test_an_impossible_data_folder_is_told_in_one_line(
    place: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "a file").write_text("something else")
    # Not even root may write there.
    folder = Path("/proc/immuni") if place == "proc" else tmp_path / place

    refused = ended("up", "--data-dir", folder, "--json")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"immuni: {folder} cannot be the data folder: {reason}")
    assert refused.stderr.count("\n") == 1


def test_wrong_variables_are_told_all_at_once_before_anything_starts(tmp_path: Path) -> None:
    refused = ended(
        "up",
        "--data-dir",
        tmp_path / "new",
        "--json",
        IMMUNI_OTP_LIFETIME="1s",
        IMMUNI_OTP_KEYS="marked-secret",
        IMMUNI_OTP_LIFETIMES="5",
    )

    assert (refused.returncode, refused.stdout) == (78, "")
    heading, *faults = refused.stderr.splitlines()
    assert heading == "immuni: some settings are wrong, nothing was started:"
    assert [fault.split()[1] for fault in faults] == [
        "otp_lifetimes:",
        "otp_keys:",
        "otp_lifetime:",
    ]
    assert "did you mean otp_lifetime?" in refused.stderr
    assert "from 30s to 10m" in refused.stderr
    assert "marked-secret" not in refused.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--base-port", "80"], ["--base-port", "65530"], ["--base-port", "x"], ["--nonsense"]],
)
def test_wrong_use_is_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    refused = ended("up", "--data-dir", tmp_path / "new", *arguments)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert not (tmp_path / "new").exists()
