"""The parts of the Debian package that can be tried without building it."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

DEBIAN = Path("packaging/debian")


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_a_maintainer_script_can_be_read_and_stops_at_what_fails(name: str) -> None:
    subprocess.run(["/bin/sh", "-n", DEBIAN / name], check=True)

    assert (DEBIAN / name).read_text().startswith("#!/bin/sh\nset -e\n")


@pytest.mark.parametrize(("action", "is_kept"), [("remove", True), ("purge", False)])
def test_only_a_purge_deletes_what_daemons_have_kept(
    tmp_path: Path, action: str, *, is_kept: bool
) -> None:
    kept = tmp_path / "var/lib/immuni/alice/framework.db"
    link = tmp_path / "etc/systemd/system/multi-user.target.wants/immuni-device@alice.service"
    for path in (kept, link):
        path.parent.mkdir(parents=True)
        path.touch()

    subprocess.run(
        ["/bin/sh", DEBIAN / "postrm", action],
        check=True,
        env={"DPKG_ROOT": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )

    assert (kept.exists(), link.exists()) == (is_kept, is_kept)


def test_the_entry_in_the_menu_opens_the_app_of_whoever_clicks(tmp_path: Path) -> None:
    entry = (DEBIAN / "immuni.desktop").read_text().splitlines()
    (line,) = (each.removeprefix("Exec=") for each in entry if each.startswith("Exec="))
    # Desktop Entry Specification: a value's own escapes are undone before the quoting is.
    # Of the latter shlex knows all but the dollar sign.
    unescaped = line.replace("\\\\", "\\")
    command = [word.replace("\\$", "$") for word in shlex.split(unescaped)]
    told, home = tmp_path / "told", tmp_path / "a home"
    immuni = tmp_path / "immuni"
    immuni.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{shlex.quote(str(told))}\n')
    immuni.chmod(0o755)

    environment = {"HOME": str(home), "PATH": os.pathsep.join((str(tmp_path), "/usr/bin", "/bin"))}
    subprocess.run(command, check=True, env=environment)

    folder = str(home / ".local/state/immuni-app")
    assert told.read_text().splitlines() == ["app", "open", "--data-dir", folder]
