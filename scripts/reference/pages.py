"""Pages that people write, with parts that are generated from the code."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from immuni.deployment.nginx_site import production
from scripts.reference.alerts import RULES, alert_rules
from scripts.reference.command_line import commands
from scripts.reference.http_api import (
    configuration_settings,
    endpoints,
    error_table,
    openapi_documents,
)
from scripts.reference.settings import settings

ROOT: Final = Path(__file__).parents[2]
REFERENCE: Final = ROOT / "docs" / "reference"

Part = Callable[[], str]

_PARTS: Final[Mapping[str, Mapping[str, Part]]] = {
    "command-line.md": {"commands": commands},
    "settings.md": {"settings": settings},
    "http-api.md": {
        "errors": error_table,
        "configuration": lambda: endpoints("configuration"),
        "configuration settings": configuration_settings,
        "settings": lambda: endpoints("settings"),
        "otp": lambda: endpoints("otp"),
        "ingestion": lambda: endpoints("ingestion"),
        "reporting": lambda: endpoints("reporting"),
        "texts": lambda: endpoints("texts"),
        "analytics": lambda: endpoints("analytics"),
        "dashboard": lambda: endpoints("dashboard"),
    },
}


class MissingPartError(LookupError):
    """A page has no place for a part; the page was left as it is."""


def documents() -> dict[Path, str]:
    """Return every file that is generated, whole or in part, as it should be."""
    pages = {REFERENCE / name: _filled(REFERENCE / name, parts) for name, parts in _PARTS.items()}
    openapi = {
        REFERENCE / "openapi" / f"{name}.json": json.dumps(document, indent=2) + "\n"
        for name, document in openapi_documents().items()
    }
    deployed = {
        ROOT / "deploy" / "nginx" / "immuni.conf": production().text(),
        RULES: alert_rules(),
    }
    return pages | openapi | deployed


def _filled(page: Path, parts: Mapping[str, Part]) -> str:
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        before, begun, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not (begun and ended):
            raise MissingPartError(f"{page.name} has no place for {name!r}: {begin} … {end}")
        text = f"{before}{begin}\n\n{part().strip()}\n\n{end}{after}"
    return text
