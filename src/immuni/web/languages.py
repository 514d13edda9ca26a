"""Pages in several languages: which one to speak, and what is translated alike everywhere.

English is the language of the texts in code and templates, so it has no catalogue. The texts stay
in the packages that show them, and so do the names of days: each has its own catalogues.
"""

import gettext
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Final

DEFAULT_LANGUAGE: Final = "en"
"""British English, the language in which the texts stand in code and templates."""

_MAX_HEADER_LENGTH: Final = 500


def translatable(text: str) -> str:
    """Mark `text` for the catalogues where it is not translated on the spot."""
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class DayWords:
    """How one package writes days, before translation.

    Attributes:
        order: The whole, with ``%(weekday)s``, ``%(day)d`` and ``%(month)s``; their order is the
            language's own business.
        first: The same for the first day of a month, which French and Italian write as an ordinal.
        weekdays: Seven names, Monday first.
        months: Twelve names.
    """

    order: str
    first: str
    weekdays: Sequence[str]
    months: Sequence[str]


@dataclass(frozen=True, slots=True)
class Translation:
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

    def counted(self, one: str, many: str, count: int) -> str:
        """Translate a message about `count` things; it holds ``%(num)d``."""
        return self.catalogue.ngettext(one, many, count) % {"num": count}

    def day_in(self, words: DayWords, day: date) -> str:
        """Write a day with its weekday, without the year: what pages show is never older."""
        return self.text(
            words.first if day.day == 1 else words.order,
            weekday=self.text(words.weekdays[day.weekday()]),
            day=day.day,
            month=self.text(words.months[day.month - 1]),
        )


def catalogue_of(package: str, code: str) -> gettext.NullTranslations:
    """Read the translations of a package's texts; there are none for the default language.

    Args:
        package: Holds ``locale``; its catalogues are called by the last part of its name.
        code: A language that it speaks.

    Raises:
        FileNotFoundError: It does not speak that language.
    """
    if code == DEFAULT_LANGUAGE:
        return gettext.NullTranslations()
    name = package.rpartition(".")[2]
    with files(package).joinpath(f"locale/{code}/LC_MESSAGES/{name}.mo").open("rb") as file:
        return gettext.GNUTranslations(file)


def preferred_of(languages: Collection[str], accept_language: str) -> str:
    """Return the code of the language that a browser likes best among `languages`.

    Args:
        languages: Their codes; the default language is one.
        accept_language: The header's value; parts that make no sense are passed over.

    Source:
        RFC 9110, 12.5.4; a range such as ``it-CH`` stands for its language.
    """
    wishes = [_wish(part) for part in accept_language[:_MAX_HEADER_LENGTH].split(",")]
    known = [(weight, code) for weight, code in wishes if code in languages and weight > 0]
    # The first of equals is meant, and the first is what max returns.
    return max(known, key=lambda wish: wish[0])[1] if known else DEFAULT_LANGUAGE


def _wish(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    code = tag.strip().lower().partition("-")[0]
    try:
        return float(parameter.strip().removeprefix("q=") or "1"), code
    except ValueError:
        return 0.0, code
