"""Questions and answers, as the address in the settings gives them out."""

from immuni.api.messages import Answer


class Question(Answer, frozen=True, kw_only=True):
    """One question and its answer.

    Attributes:
        title: The question; plain text.
        content: The answer; plain text, paragraphs apart by an empty line.
    """

    title: str
    content: str


class Questions(Answer, frozen=True, kw_only=True):
    """All questions.

    Attributes:
        faqs: The most important first.
    """

    faqs: tuple[Question, ...]
