"""What all pages of the settings show alike."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from immuni.api import Platform
from immuni.api.settings_authoring import MAX_REASON_LENGTH, PublishedEntry
from immuni.portal.configuring.fields import default_of
from immuni.portal.configuring.service import SettingsService
from immuni.portal.configuring.store import ProposalStore
from immuni.portal.configuring.wording import DANGERS, GROUPS, WORDINGS, Unit
from immuni.portal.desk import Desk
from immuni.portal.door import Door, Visit
from immuni.portal.forms import FormLimits

SET_LIMITS: Final = FormLimits(max_body_size=64 * 1024, max_fields=60)
"""Advice in many languages is long."""
PLATFORMS: Final = {Platform.IOS: "iOS", Platform.ANDROID: "Android"}
_MOST_NUMBER: Final = 2**31 - 1
_NOT_PRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]+")
_DANGER_PLACE: Final = re.compile(
    r"(?P<platform>\w+) from build (?P<first>\d+): (?P<what>.+)", re.DOTALL
)
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuring:
    """What the pages of the settings work with."""

    desk: Desk
    door: Door
    service: SettingsService
    store: ProposalStore

    @property
    def now(self) -> datetime:
        """The time."""
        return self.desk.clock.now()

    def render(self, visit: Visit, template: str, *, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - whatever a template shows
        """Return a page, with what all of them need."""
        return self.desk.pages.render(
            visit.request,
            template,
            session=visit.session,
            status=status,
            wordings=WORDINGS,
            groups=GROUPS,
            platforms=PLATFORMS,
            told=told,
            default_of=default_of,
            danger_said=danger_said,
            at=lambda moment: moment.astimezone(self.desk.settings.portal_time_zone),
            most_reason=MAX_REASON_LENGTH,
            **values,
        )

    def to(self, path: str) -> Response:
        """Lead on to another page."""
        return RedirectResponse(self.desk.site.link(path), status_code=303)


def number_in_path(visit: Visit, name: str) -> int:
    """Return a number that stands in a page's address.

    Raises:
        HTTPException: There can be no such page.
    """
    number: int = visit.request.path_params[name]
    if number > _MOST_NUMBER:
        raise HTTPException(404)
    return number


def reason_in(form: Any) -> str:  # noqa: ANN401 - a form
    """Return the reason that was typed, in one line; empty where it is none or too long."""
    reason = " ".join(_NOT_PRINTABLE.sub(" ", form.get("reason", "")).split())
    return reason if len(reason) <= MAX_REASON_LENGTH else ""


def dangers_in(form: Any) -> set[str]:  # noqa: ANN401 - a form
    """Return the dangers that were ticked."""
    return {value for name, value in form.items() if name.startswith("danger-")}


@dataclass(frozen=True, slots=True)
class Told:
    """A value as people read it.

    Attributes:
        text: The value, or empty where there is none.
        long: Whether it takes several lines.
        aside: The same in another unit; empty where there is none.
    """

    text: str
    long: bool = False
    aside: str = ""


def told(name: str, value: object) -> Told:
    """Return a value as people read it."""
    if value is None or value in ({}, []):
        return Told("")
    if WORDINGS[name].unit is Unit.SECONDS and isinstance(value, int | float):
        return Told(f"{value} s", aside=_duration(value))
    if isinstance(value, list | tuple) and all(isinstance(each, int | float) for each in value):
        return Told(" ".join(map(str, value)))
    if isinstance(value, dict | list | tuple):
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        return Told(text, long="\n" in text)
    return Told(str(value))


def _duration(seconds: float) -> str:
    """Return a length of time in its greatest units; empty where seconds say it best."""
    left, parts = math.floor(seconds), []
    for size, unit in _UNITS:
        if count := left // size:
            parts.append(f"{count} {unit}")
        left %= size
    return " ".join(parts[:2]) if seconds >= _UNITS[2][0] else ""


@dataclass(frozen=True, slots=True)
class Danger:
    """A danger as people read it.

    Attributes:
        text: The service's sentence.
        platform: The phones that it is about.
        first: From which build on.
        message: What happens to them, in English.
        values: What belongs into the message.
    """

    text: str
    platform: str
    first: str
    message: str
    values: dict[str, str]


def danger_said(text: str) -> Danger:
    """Take a sentence of the service apart, so that it can be said in another language."""
    place = _DANGER_PLACE.fullmatch(text)
    if place is None:
        return Danger(text, "", "", text, {})
    platform = PLATFORMS.get(Platform(place["platform"]), place["platform"])
    for pattern, message in DANGERS:
        if match := re.fullmatch(pattern, place["what"]):
            return Danger(text, platform, place["first"], message, match.groupdict())
    return Danger(text, platform, place["first"], place["what"], {})


def by_platform(
    entries: Sequence[PublishedEntry],
) -> dict[str, dict[Platform, list[PublishedEntry]]]:
    """Return entries by name and platform, the lowest build first."""
    found: dict[str, dict[Platform, list[PublishedEntry]]] = {
        name: {platform: [] for platform in Platform} for name in WORDINGS
    }
    for each in sorted(entries, key=lambda entry: entry.from_build):
        if each.name in found:
            found[each.name][each.platform].append(each)
    return found


def as_of_utc(moment: datetime) -> datetime:
    """Return a moment in UTC."""
    return moment.astimezone(UTC)
