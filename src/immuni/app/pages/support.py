"""Help: whom to ask, and what to tell them of this phone, which is shown before it is shared."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from immuni import __version__
from immuni.api import ConfigurationSettings
from immuni.app.pages.language import Language
from immuni.app.pages.screens import Screens
from immuni.app.phone import Phone
from immuni.web.languages import translatable


@dataclass(frozen=True, slots=True)
class SupportPages:
    """The help page."""

    screens: Screens

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/support", self.show)]

    async def show(self, request: Request) -> Response:
        """Show contacts and diagnostics."""
        phone = self.screens.phone
        lines = "\n".join(diagnostics(phone, self.screens.language(request)))
        return self.screens.show(
            request,
            "support.html",
            support=contact_of(phone.record.settings.values),
            diagnostics=lines,
            as_mail=quote(f"\n\n{lines}\n"),
        )


def contact_of(settings: ConfigurationSettings) -> dict[str, object] | None:
    """Return how the health service can be reached; None where it named no way."""
    if settings.support_phone is None and settings.support_email is None:
        return None
    return {
        "phone": settings.support_phone,
        "email": settings.support_email,
        "opens": settings.support_phone_opening_time,
        "closes": settings.support_phone_closing_time,
    }


def diagnostics(phone: Phone, language: Language) -> Iterator[str]:
    """Yield what helps to find a fault, a line each.

    Privacy:
        Nothing of the person: neither their state, nor where they live, nor what they met or sent.
    """
    status, record = phone.status(), phone.record
    nothing = language.text(translatable("none"))
    faults = ", ".join([*status.issues, *record.settings.refused])
    stamp = record.settings.stamp
    checked = status.last_check
    lines = {
        translatable("Version"): f"{__version__} ({phone.build.number}, {phone.build.platform})",
        translatable("Language"): language.tag,
        translatable("Obstacles"): faults or nothing,
        translatable("Last check"): nothing if checked is None else f"{checked:%Y-%m-%d %H:%M %Z}",
        translatable("Last fault"): status.failure or nothing,
        translatable("Bluetooth says"): status.radio_error or nothing,
        translatable("Settings"): nothing if stamp is None else str(stamp.version),
        translatable("Where your key is kept"): language.text(status.key_storage),
    }
    for name, value in lines.items():
        yield f"{language.text(name)}: {value}"
