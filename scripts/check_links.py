"""Check, without a network, that no link between the project's own documents is dead."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote

ROOT: Final = Path(__file__).parents[1]
LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href|srcset)=\"([^\"]+)\"")
CODE: Final = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
HEADING: Final = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)


def main() -> int:
    """Print the dead links, and return 1 if there are any."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    documents = [ROOT / name for name in listed.stdout.splitlines()]
    dead = [fault for path in documents if path.exists() for fault in dead_links(path)]
    for fault in dead:
        print(fault, file=sys.stderr)
    return 1 if dead else 0


def dead_links(document: Path) -> Iterator[str]:
    """Yield the links of a document that lead nowhere."""
    text = CODE.sub("", document.read_text())
    for match in LINK.finditer(text):
        link = unquote(match[1] or match[2])
        path, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (document.parent / path).resolve() if path else document
        if not target.exists():
            yield f"{document.relative_to(ROOT)}: {link} does not exist"
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            yield f"{document.relative_to(ROOT)}: {link} names no heading"


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings."""
    headings = HEADING.findall(CODE.sub(lambda code: code[0].strip("`"), document.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


if __name__ == "__main__":
    sys.exit(main())
