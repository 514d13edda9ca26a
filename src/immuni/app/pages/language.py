"""The five languages: which one to speak, and how days and times are written in it."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
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
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
}
"""Each language by its own name."""

_LOCALES: Final = {"en": "en-GB"}
_DAY_WORDS: Final = DayWords(
    order=translatable("%(weekday)s %(day)d %(month)s"),
    first=translatable("%(weekday)s 1 %(month)s"),
    weekdays=(
        translatable("Monday"),
        translatable("Tuesday"),
        translatable("Wednesday"),
        translatable("Thursday"),
        translatable("Friday"),
        translatable("Saturday"),
        translatable("Sunday"),
    ),
    months=(
        translatable("January"),
        translatable("February"),
        translatable("March"),
        translatable("April"),
        translatable("May"),
        translatable("June"),
        translatable("July"),
        translatable("August"),
        translatable("September"),
        translatable("October"),
        translatable("November"),
        translatable("December"),
    ),
)


@dataclass(frozen=True, slots=True)
class Language(Translation):
    """One language of the App."""

    @property
    def tag(self) -> str:
        """What the page says of itself to browsers and screen readers."""
        return _LOCALES.get(self.code, self.code)

    def day(self, day: date) -> str:
        """Write a day with its weekday."""
        return self.day_in(_DAY_WORDS, day)

    def moment(self, instant: datetime, *, now: datetime, zone: tzinfo | None) -> str:
        """Write a moment as people say it: today or a day, and the time of day in `zone`."""
        local = instant.astimezone(zone)
        time = f"{local:%H:%M}"
        if local.date() == now.astimezone(zone).date():
            return self.text(translatable("Today at %(time)s"), time=time)
        day = self.day(local.date())
        return self.text(translatable("%(day)s at %(time)s"), day=day, time=time)


@cache
def language_of(code: str) -> Language:
    """Return the language with that code, the default one where there is none."""
    known = code if code in LANGUAGES else DEFAULT_LANGUAGE
    return Language(known, catalogue_of("immuni.app", known))


def preferred_language(accept_language: str) -> str:
    """Return the code of the language that a browser likes best among ours."""
    return preferred_of(LANGUAGES, accept_language)
