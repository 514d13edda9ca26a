"""The portal's languages: which one to speak, and how days are written in it.

English is the language of the texts in code and templates, so it has no catalogue.
``locale/README.md`` says how the others are kept in step.
"""

import gettext
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

DEFAULT_LANGUAGE: Final = "en"
LANGUAGES: Final = ("en", "it")

_CATALOGUE: Final = "portal"
_MAX_HEADER_LENGTH: Final = 500


def translatable(text: str) -> str:
    """Mark `text` for the catalogues where it is not translated on the spot."""
    return text


_WEEKDAYS: Final = (
    translatable("Mon"),
    translatable("Tue"),
    translatable("Wed"),
    translatable("Thu"),
    translatable("Fri"),
    translatable("Sat"),
    translatable("Sun"),
)
_MONTHS: Final = (
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
)


@dataclass(frozen=True, slots=True)
class Language:
    """One language and its catalogue.

    Attributes:
        code: Two letters, as in HTML's ``lang``.
        catalogue: The translations; for the default language the texts themselves.
    """

    code: str
    catalogue: gettext.NullTranslations

    def text(self, message: str, **values: object) -> str:
        """Translate `message` and put `values` into it."""
        translated = self.catalogue.gettext(message)
        return translated % values if values else translated

    def day(self, day: date) -> str:
        """Write a day so that nobody mistakes it, without the year: none is older than that."""
        return self.text(
            # The order is the language's own business.
            translatable("%(weekday)s %(day)d %(month)s"),
            weekday=self.text(_WEEKDAYS[day.weekday()]),
            day=day.day,
            month=self.text(_MONTHS[day.month - 1]),
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
    if code not in LANGUAGES or code == DEFAULT_LANGUAGE:
        return Language(DEFAULT_LANGUAGE, gettext.NullTranslations())
    path = files("immuni.portal").joinpath(f"locale/{code}/LC_MESSAGES/{_CATALOGUE}.mo")
    with path.open("rb") as file:
        return Language(code, gettext.GNUTranslations(file))


def preferred_language(accept_language: str) -> str:
    """Return the code of the language that a browser likes best among ours.

    Args:
        accept_language: The header's value; parts that make no sense are passed over.

    Source:
        RFC 9110, 12.5.4; a range such as ``it-CH`` stands for its language.
    """
    wishes = [_wish(part) for part in accept_language[:_MAX_HEADER_LENGTH].split(",")]
    known = [(weight, code) for weight, code in wishes if code in LANGUAGES and weight > 0]
    # The first of equals is meant, and the first is what max returns.
    return max(known, key=lambda wish: wish[0])[1] if known else DEFAULT_LANGUAGE


def _wish(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    code = tag.strip().lower().partition("-")[0]
    try:
        return float(parameter.strip().removeprefix("q=") or "1"), code
    except ValueError:
        return 0.0, code
