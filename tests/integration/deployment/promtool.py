"""Prometheus's own tool, as `scripts/install-tools promtool` puts it there."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped] # its types are a package of their own

ROOT: Final = Path(__file__).parents[3]
RULES: Final = ROOT / "deploy" / "alerts.yml"
_PLACES: Final = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])


def promtool(*arguments: str | Path) -> str:
    """Run the tool, which must find nothing wrong, and return what it prints."""
    program = shutil.which("promtool", path=_PLACES)
    assert program, "scripts/install-tools promtool"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> dict[str, Any]:
    """Return the rules by the name of their alert."""
    content = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return {rule["alert"]: rule for group in content["groups"] for rule in group["rules"]}
