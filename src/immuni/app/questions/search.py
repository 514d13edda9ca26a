"""Which questions somebody means who types a few words, with or without slips. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from immuni.api import Question

MAX_QUERY_LENGTH: Final = 100
_WORD: Final = re.compile(r"\w+")
_SHORTEST_WITH_SLIPS: Final = 4
"""Two words of three letters are alike by chance too often."""
_LIKENESS: Final = 0.75
"""One slip in a word of four letters, two in one of eight."""
_TITLE_WEIGHT: Final = 3.0
_BEGINNING: Final = 0.9
_SLIP: Final = 0.7


@dataclass(frozen=True, slots=True)
class _Words:
    title: frozenset[str]
    content: frozenset[str]


def found(questions: Sequence[Question], query: str) -> list[Question]:
    """Return the questions that `query` may mean, the best first.

    Case and accents do not matter, a word may be cut off at its end or have a slip, and a word of
    the title counts three times one of the answer. Where no question has all the words, those with
    most of them come. An empty query means all.
    """
    wanted = list(dict.fromkeys(_words(query[:MAX_QUERY_LENGTH])))
    if not wanted:
        return list(questions)
    scored = [(_score(wanted, _words_of(question)), question) for question in questions]
    most = max((hits for (hits, _), _ in scored), default=0)
    best = [(score, question) for (hits, score), question in scored if hits == most > 0]
    # Sorting is stable: of equals the more important one comes first.
    return [question for _, question in sorted(best, key=lambda each: -each[0])]


def _score(wanted: Sequence[str], words: _Words) -> tuple[int, float]:
    """Return how many of the words are there, and how well."""
    likenesses = [
        max(_TITLE_WEIGHT * _best(word, words.title), _best(word, words.content)) for word in wanted
    ]
    return sum(likeness > 0 for likeness in likenesses), sum(likenesses)


def _best(word: str, words: frozenset[str]) -> float:
    """Return how well the likest of `words` stands for `word`: 0 for not at all, 1 for the same."""
    if word in words:
        return 1.0
    if any(each.startswith(word) for each in words):
        return _BEGINNING
    if len(word) < _SHORTEST_WITH_SLIPS:
        return 0.0
    # The matcher keeps what it has learned of its second sequence.
    matcher = SequenceMatcher(b=word, autojunk=False)
    return _SLIP * max((_likeness(matcher, each) for each in words), default=0.0)


def _likeness(matcher: "SequenceMatcher[str]", word: str) -> float:
    matcher.set_seq1(word)
    # The two cheap ones are upper bounds: most words end there.
    if matcher.real_quick_ratio() < _LIKENESS or matcher.quick_ratio() < _LIKENESS:
        return 0.0
    likeness = matcher.ratio()
    return likeness if likeness >= _LIKENESS else 0.0


@lru_cache(maxsize=512)
def _words_of(question: Question) -> _Words:
    return _Words(frozenset(_words(question.title)), frozenset(_words(question.content)))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _WORD.findall("".join(each for each in plain if not unicodedata.combining(each)))
