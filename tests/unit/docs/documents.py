"""The documents that people read, and the code in them."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
READMES: Final = [ROOT / "README.md", ROOT / "README.it.md"]
DOCUMENTS: Final = [*READMES, *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def code_of(document: Path, language: str) -> list[str]:
    """Return the blocks of code in one language."""
    return [
        code for found, code in _BLOCK.findall(document.read_text("utf-8")) if found == language
    ]


def commands_of(document: Path) -> list[str]:
    """Return the commands that a document shows, without comments and what they print."""
    return [
        line.removeprefix("$ ").partition(" #")[0].strip()
        for block in code_of(document, "console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def name_of(document: Path) -> str:
    """Return a document's name, for the name of a test."""
    return document.relative_to(ROOT).as_posix()
