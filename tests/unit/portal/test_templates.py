"""What holds for every page, whatever it is about."""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

import immuni.portal

TEMPLATES = Path(immuni.portal.__file__).parent / "templates"


def calls(macro: str) -> Iterator[tuple[str, list[nodes.Expr]]]:
    environment = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - nothing is rendered
    for file in sorted(TEMPLATES.glob("*.html")):
        parsed = environment.parse(file.read_text(encoding="utf-8"))
        for call in parsed.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == macro:
                yield file.name, call.args


def test_what_opens_a_question_and_what_answers_it_have_different_names() -> None:
    confirmed = [(file, args[2], args[4]) for file, args in calls("confirm")]

    assert len(confirmed) > 10
    assert [file for file, opens, answers in confirmed if opens == answers] == []
