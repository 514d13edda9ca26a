"""The five languages: which one to speak, and how days and times are written in it."""

import gettext
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cache
from importlib.resources import files
from typing import Final

DEFAULT_LANGUAGE: Final = "en"
"""British English, the language in which the texts stand in code and templates."""

LANGUAGES: Final = {
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "it": "Italiano",
}
"""Each language by its own name."""

_CATALOGUE: Final = "app"
_LOCALES: Final = {"en": "en-GB"}
_MAX_HEADER_LENGTH: Final = 500


def translatable(text: str) -> str:
    """Mark `text` for the catalogues where it is not translated on the spot."""
    return text


_WEEKDAYS: Final = (
    translatable("Monday"),
    translatable("Tuesday"),
    translatable("Wednesday"),
    translatable("Thursday"),
    translatable("Friday"),
    translatable("Saturday"),
    translatable("Sunday"),
)
_MONTHS: Final = (
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
)


@dataclass(frozen=True, slots=True)
class Language:
    """One language and its catalogue.

    Attributes:
        code: Two letters.
        catalogue: The translations; for the default language the texts themselves.
    """

    code: str
    catalogue: gettext.NullTranslations

    @property
    def tag(self) -> str:
        """What the page says of itself to browsers and screen readers."""
        return _LOCALES.get(self.code, self.code)

    def text(self, message: str, **values: object) -> str:
        """Translate `message` and put `values` into it."""
        translated = self.catalogue.gettext(message)
        return translated % values if values else translated

    def counted(self, one: str, many: str, count: int) -> str:
        """Translate a message about `count` things; it holds ``%(num)d``."""
        return self.catalogue.ngettext(one, many, count) % {"num": count}

    def day(self, day: date) -> str:
        """Write a day with its weekday, without the year: what is shown is never older."""
        return self.text(
            # The order is the language's own business.
            translatable("%(weekday)s %(day)d %(month)s"),
            weekday=self.text(_WEEKDAYS[day.weekday()]),
            day=day.day,
            month=self.text(_MONTHS[day.month - 1]),
        )

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
    if code not in LANGUAGES or code == DEFAULT_LANGUAGE:
        return Language(DEFAULT_LANGUAGE, gettext.NullTranslations())
    path = files("immuni.app").joinpath(f"locale/{code}/LC_MESSAGES/{_CATALOGUE}.mo")
    with path.open("rb") as file:
        return Language(code, gettext.GNUTranslations(file))


def preferred_language(accept_language: str) -> str:
    """Return the code of the language that a browser likes best among ours.

    Args:
        accept_language: The header's value; parts that make no sense are passed over.
    """
    wishes = [_wish(part) for part in accept_language[:_MAX_HEADER_LENGTH].split(",")]
    known = [(quality, code) for quality, code in wishes if code in LANGUAGES and quality > 0]
    # The first of equals is meant: the sort is stable.
    return max(known, key=lambda wish: wish[0])[1] if known else DEFAULT_LANGUAGE


def _wish(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    code = tag.strip().lower().partition("-")[0]
    text = parameter.strip().removeprefix("q=") or "1"
    try:
        return float(text), code
    except ValueError:
        return 0.0, code
