"""The generated parts of the reference."""

from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from scripts.reference.pages import ROOT, documents
from tests.unit.cli.command_line import immuni


def test_the_reference_says_what_the_code_does() -> None:
    stale = [
        str(path.relative_to(ROOT))
        for path, text in documents().items()
        if path.read_text(encoding="utf-8") != text
    ]

    assert not stale, "make reference"


def test_a_new_code_is_told_as_described() -> None:
    (answer,) = TOLD["otp new"].answers

    check_members(answer, immuni("otp", "new", "--json").json, where="otp new")
