"""The portal's accounts for demonstrations, as a system on one machine keeps them.

A module apart: who only reads them need not import all that makes a system ready.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the portal for demonstrations; it exists under ``immuni up`` only."""

    user: str
    password: str = field(repr=False)
    role: str


def read_demo_accounts(file: Path) -> list[DemoAccount]:
    """Return the accounts that were made.

    Raises:
        FileNotFoundError: None were made yet.
    """
    return [DemoAccount(**account) for account in json.loads(file.read_text(encoding="utf-8"))]
