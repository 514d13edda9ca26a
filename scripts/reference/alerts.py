"""The rules of the alerts' page, in the file that Prometheus reads."""

import re
import textwrap
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
PAGE: Final = _ROOT / "docs" / "operations" / "alerts.md"
RULES: Final = _ROOT / "deploy" / "alerts.yml"
_RULE: Final = re.compile(r"^```yaml\n(- alert: .*?)^```", re.DOTALL | re.MULTILINE)
_HEAD: Final = """\
# Alerts for Prometheus. Made from docs/operations/alerts.md, which tells why each is as it is and
# what to do; `make reference` writes it anew.
groups:
  - name: immuni
    rules:
"""


def alert_rules() -> str:
    """Return the file."""
    rules = _RULE.findall(PAGE.read_text(encoding="utf-8"))
    return _HEAD + textwrap.indent("".join(rules), " " * 6)
