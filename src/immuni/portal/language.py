"""The portal's languages: which one to speak, and how days are written in it.

``locale/README.md`` says how the catalogues are kept in step.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from immuni.web.languages import (
    DEFAULT_LANGUAGE,
    DayWords,
    Translation,
    catalogue_of,
    preferred_of,
    translatable,
)

LANGUAGES: Final = {
    "en": "English",
    "it": "Italiano",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
}
"""What each language calls itself, by its code."""

_DAY_WORDS: Final = DayWords(
    order=translatable("%(weekday)s %(day)d %(month)s"),
    first=translatable("%(weekday)s 1 %(month)s"),
    weekdays=(
        translatable("Mon"),
        translatable("Tue"),
        translatable("Wed"),
        translatable("Thu"),
        translatable("Fri"),
        translatable("Sat"),
        translatable("Sun"),
    ),
    months=(
        translatable("Jan"),
        translatable("Feb"),
        translatable("Mar"),
        translatable("Apr"),
        translatable("May"),
        translatable("Jun"),
        translatable("Jul"),
        translatable("Aug"),
        translatable("Sep"),
        translatable("Oct"),
        translatable("Nov"),
        translatable("Dec"),
    ),
)


@dataclass(frozen=True, slots=True)
class Language(Translation):
    """One language of the portal."""

    def day(self, day: date) -> str:
        """Write a day so that nobody mistakes it."""
        return self.day_in(_DAY_WORDS, day)

    def whole_day(self, day: date) -> str:
        """Write a day with its year, where it may be long ago or far ahead."""
        return self.text(
            translatable("%(day)d %(month)s %(year)d"),
            day=day.day,
            month=self.text(_DAY_WORDS.months[day.month - 1]),
            year=day.year,
        )

    def days_ago(self, days: int) -> str:
        """Write how long ago a day was."""
        if days == 0:
            return self.text(translatable("Today"))
        if days == 1:
            return self.text(translatable("Yesterday"))
        return self.text(translatable("%(days)d days ago"), days=days)


@cache
def language_of(code: str) -> Language:
    """Return the language with that code, the default one where there is none."""
    known = code if code in LANGUAGES else DEFAULT_LANGUAGE
    return Language(known, catalogue_of("immuni.portal", known))


def preferred_language(accept_language: str) -> str:
    """Return the code of the language that a browser likes best among ours."""
    return preferred_of(LANGUAGES, accept_language)
