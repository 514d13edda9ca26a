"""Build the Debian package of daemon and App: `make deb`.

The packages of the lock that they need, and our own code, go into /usr/lib/immuni for the Python
of the machine that builds; the package asks for that version. Nothing else is bundled.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
PACKAGING: Final = ROOT / "packaging" / "debian"
PYTHON: Final = "/usr/bin/python3"
_CODE: Final = "usr/lib/immuni"
_LEFT_OUT: Final = (
    "bin",
    "share",
    "apsw/sqlite_extra_binaries",
    "bumble/apps",
    "google/protobuf/testdata",
)
"""Programs, pages and data of the bundled packages, which are neither imported nor read."""


def main(folder: Path) -> int:
    """Build the package into `folder`, and print its path."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    machine = _told("dpkg", "--print-architecture")
    stage = folder / "stage"
    if stage.exists():
        shutil.rmtree(stage)
    (stage / _CODE).mkdir(parents=True)
    _bundle(stage / _CODE, folder)
    _tell_version(stage / _CODE, version)
    _place_files(stage, version=version, machine=machine)
    _set_modes(stage)
    package = folder / f"immuni-device_{version}_{machine}.deb"
    _run("dpkg-deb", "--root-owner-group", "--build", stage, package)
    print(package)
    return 0


def _bundle(code: Path, folder: Path) -> None:
    """Put the packages and our own code into `code`."""
    lock = folder / "requirements.txt"
    lock.write_text(_pins())
    _run(
        sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", PYTHON, "--no-deps",
        "--require-hashes", "--target", code, "--requirement", lock,
    )  # fmt: skip
    for name in _LEFT_OUT:
        shutil.rmtree(code / name, ignore_errors=True)
    (code / ".lock").unlink(missing_ok=True)
    ignored = shutil.ignore_patterns("__pycache__", "backend", "portal", "dashboard", "demo")
    shutil.copytree(ROOT / "src" / "immuni", code / "immuni", ignore=ignored)


def _tell_version(code: Path, version: str) -> None:
    """Write what our own code asks for its version."""
    metadata = code / f"immuni-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: immuni\nVersion: {version}\n")


def _pins() -> str:
    """Return the part of the lock that daemon and App need."""
    wanted = _closure(
        line for line in (PACKAGING / "needs.txt").read_text().splitlines() if line[:1].isalnum()
    )
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.lock").read_text())
    return "\n".join(
        block for block in blocks if canonicalize_name(re.split("[=; ]", block)[0]) in wanted
    )


def _closure(names: Iterable[str]) -> set[str]:
    """Return the packages, and all that they require on this machine."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found:
            continue
        found.add(name)
        below = map(Requirement, requires(name) or [])
        waiting += [
            each for each in below if each.marker is None or each.marker.evaluate({"extra": ""})
        ]
    return found


def _place_files(stage: Path, *, version: str, machine: str) -> None:
    """Put the launcher, the units, the desktop's files and the package's own in their places."""
    python = _told(PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
    major, minor = map(int, python.split("."))
    values = {
        "VERSION": version,
        "ARCHITECTURE": machine,
        "PYTHON": python,
        "NEXT_PYTHON": f"{major}.{minor + 1}",
        # What was compiled here may need all that the C library here has.
        "LIBC": _told("dpkg-query", "--show", "--showformat=${Version}", "libc6").split("-")[0],
    }
    for source, target, mode in (
        (PACKAGING / "immuni", "usr/bin/immuni", 0o755),
        (PACKAGING / "immuni.desktop", "usr/share/applications/immuni.desktop", 0o644),
        (PACKAGING / "immuni.1", "usr/share/man/man1/immuni.1", 0o644),
        (PACKAGING / "lintian-overrides", "usr/share/lintian/overrides/immuni-device", 0o644),
        (ROOT / "CHANGELOG.md", "usr/share/doc/immuni-device/changelog", 0o644),
        (PACKAGING / "copyright", "usr/share/doc/immuni-device/copyright", 0o644),
        (ROOT / "src/immuni/web/static/icon.svg",
         "usr/share/icons/hicolor/scalable/apps/immuni.svg", 0o644),
        (ROOT / "packaging/systemd/immuni-device@.service",
         "usr/lib/systemd/system/immuni-device@.service", 0o644),
        (ROOT / "packaging/systemd/immuni-app.service",
         "usr/lib/systemd/user/immuni-app.service", 0o644),
        (PACKAGING / "control", "DEBIAN/control", 0o644),
        *((PACKAGING / name, f"DEBIAN/{name}", 0o755) for name in ("postinst", "prerm", "postrm")),
    ):  # fmt: skip
        path = stage / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_filled(source.read_text(), values))
        path.chmod(mode)
    _place_icons(stage)
    for packed in ("man/man1/immuni.1", "doc/immuni-device/changelog"):
        _run("gzip", "--best", "--no-name", stage / "usr/share" / packed)


def _place_icons(stage: Path) -> None:
    """Put the icon where desktops look for it that take no SVG."""
    for size in (192, 512):
        path = stage / f"usr/share/icons/hicolor/{size}x{size}/apps/immuni.png"
        path.parent.mkdir(parents=True)
        shutil.copyfile(ROOT / f"src/immuni/app/pages/static/icons/{size}.png", path)
        path.chmod(0o644)


def _set_modes(stage: Path) -> None:
    """Let neither wheels nor the umask decide who may change what."""
    for path in (stage, *stage.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        elif path.is_relative_to(stage / _CODE):
            # All of it is imported, nothing is run.
            path.chmod(0o644)


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - our own words


def _told(*command: str) -> str:
    told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - as above
    return told.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "dist"))
