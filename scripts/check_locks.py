"""Check, without a network, that the locks still hold what pyproject.toml asks for.

Every requirement must be pinned in a version that it accepts, with hashes, and no lock may name a
host. What the pinned packages require of each other is checked in the installed environment.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
LOCKS: Final = {"requirements.lock": ["build"], "requirements-dev.lock": ["build", "dev"]}
APART: Final = {
    "requirements-s3.lock": ["s3"],
    "requirements-oidc.lock": ["oidc"],
    "requirements-wheels.lock": ["build", "wheels"],
}
"""Locks of environments that the project itself is not installed in."""


def main() -> int:
    """Print what is wrong, and return 1 if anything is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = {lock: [*of_the_project(project), *wanted(project, LOCKS[lock])] for lock in LOCKS}
    needs |= {lock: wanted(project, groups) for lock, groups in APART.items()}
    faults = [
        f"{lock}: {fault}"
        for lock, requirements in needs.items()
        for fault in faults_of((ROOT / lock).read_text(), requirements)
    ]
    for fault in faults:
        print(f"{fault}: run 'make lock'", file=sys.stderr)
    consistent = subprocess.run([sys.executable, "-m", "pip", "check", "--quiet"], check=False)
    return 1 if faults else consistent.returncode


def of_the_project(project: dict[str, Any]) -> list[Requirement]:
    """Return the direct requirements of the project."""
    return [Requirement(line) for line in project["project"]["dependencies"]]


def wanted(project: dict[str, Any], groups: list[str]) -> list[Requirement]:
    """Return the direct requirements of some groups."""
    lines = [line for group in groups for line in project["dependency-groups"][group]]
    return [Requirement(line) for line in lines if isinstance(line, str)]


def faults_of(lock: str, requirements: list[Requirement]) -> Iterator[str]:
    """Yield what is wrong with a lock."""
    if "://" in lock:
        yield "names a host"
    blocks = [block for block in lock.replace("\\\n", "").splitlines() if block[:1].isalnum()]
    pinned: dict[str, list[Requirement]] = {}
    for block in blocks:
        pin = Requirement(block.partition("--hash")[0])
        # A package may be pinned once for each range of Pythons: this one's is looked at.
        if pin.marker is None or pin.marker.evaluate():
            pinned.setdefault(canonicalize_name(pin.name), []).append(pin)
        if "--hash=sha256:" not in block:
            yield f"{pin} has no hash"
    for requirement in requirements:
        pins = pinned.get(canonicalize_name(requirement.name), [])
        versions = [next(iter(pin.specifier)).version for pin in pins]
        if not versions or not all(requirement.specifier.contains(v) for v in versions):
            yield f"{requirement} is not met by {versions or 'anything'}"


if __name__ == "__main__":
    sys.exit(main())
