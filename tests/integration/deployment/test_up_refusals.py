"""``immuni up``: what it refuses at once, in one line, with nothing left behind."""

import socket
from pathlib import Path

import pytest

from tests.processes import processes_naming
from tests.running import a_free_base_port
from tests.unit.cli.command_line import immuni

pytestmark = pytest.mark.timeout(300)


def test_a_taken_port_is_named_and_nothing_is_left_running(tmp_path: Path) -> None:
    base_port = a_free_base_port()
    with socket.create_server(("127.0.0.1", base_port + 3)):
        refused = immuni("up", "--data-dir", tmp_path, "--base-port", str(base_port), "--json")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (
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

    refused = immuni("up", "--data-dir", folder, "--json")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"immuni: {folder} cannot be the data folder: {reason}")
    assert refused.err.count("\n") == 1


def test_wrong_variables_are_told_all_at_once_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMMUNI_OTP_LIFETIME", "1s")
    monkeypatch.setenv("IMMUNI_OTP_KEYS", "marked-secret")
    monkeypatch.setenv("IMMUNI_OTP_LIFETIMES", "5")

    refused = immuni(
        "up",
        "--data-dir",
        tmp_path / "new",
        "--json",
    )

    assert (refused.code, refused.out) == (78, "")
    heading, *faults = refused.err.splitlines()
    assert heading == "immuni: some settings are wrong, nothing was started:"
    assert [fault.split()[1] for fault in faults] == [
        "otp_lifetimes:",
        "otp_keys:",
        "otp_lifetime:",
    ]
    assert "did you mean otp_lifetime?" in refused.err
    assert "from 30s to 10m" in refused.err
    assert "marked-secret" not in refused.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--base-port", "80"], ["--base-port", "65530"], ["--base-port", "x"], ["--nonsense"]],
)
def test_wrong_use_is_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    refused = immuni("up", "--data-dir", tmp_path / "new", *arguments)

    assert (refused.code, refused.out) == (2, "")
    assert not (tmp_path / "new").exists()
