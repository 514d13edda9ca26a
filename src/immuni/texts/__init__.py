"""What people read at length: questions and answers, the privacy notice, the terms of use.

One Markdown file for each language. The App carries them, and the public host gives them out under
addresses that the settings name, so that they can be made better without a new App.
"""

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from immuni.api import Question

LANGUAGES: Final = ("de", "en", "es", "fr", "it")


class Document(StrEnum):
    """A text that is read from top to bottom."""

    PRIVACY = "privacy"
    TERMS = "terms"


@cache
def questions(language: str) -> tuple[Question, ...]:
    """Return the questions and answers of one of `LANGUAGES`, the most important first."""
    _, *sections = _source("faq", language).split("\n## ")
    return tuple(_question(section) for section in sections)


@cache
def title(document: Document, language: str) -> str:
    """Return the title of a document in one of `LANGUAGES`."""
    return _source(document, language).partition("\n")[0].removeprefix("# ")


@cache
def as_html(document: Document, language: str) -> str:
    """Return a document in one of `LANGUAGES` as HTML, from its first heading on."""
    # It takes longer to load than a page may take, and most pages do without.
    from markdown_it import MarkdownIt  # noqa: PLC0415 - as above

    return str(MarkdownIt("commonmark", {"html": False}).render(_source(document, language)))


def _question(section: str) -> Question:
    title, _, content = section.partition("\n")
    return Question(title=title.strip(), content=content.strip())


def _source(name: str, language: str) -> str:
    return files(__package__).joinpath(name, f"{language}.md").read_text(encoding="utf-8")
