"""Write the generated part of the reference, or with ``--check`` tell what is out of date."""

import sys

from scripts.reference.pages import ROOT, documents


def main(*, only_check: bool) -> int:
    """Write what differs; return 1 where that was only to be checked and something does."""
    stale = [
        (path, text)
        for path, text in documents().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        print(path.relative_to(ROOT))
        if not only_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if only_check and stale else 0


if __name__ == "__main__":
    sys.exit(main(only_check="--check" in sys.argv[1:]))
