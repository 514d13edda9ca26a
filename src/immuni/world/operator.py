"""A Healthcare Operator who uses the portal's own pages, as a browser would."""

from collections.abc import Mapping
from datetime import date
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from immuni.errors import ImmuniError
from immuni.otp import Otp, grouped
from immuni.world.network import LOOPBACK

_TIMEOUT_SECONDS: Final = 10


class PortalRefusedError(ImmuniError, RuntimeError):
    """The portal did not do what the operator asked for."""


class Operator:
    """One operator at one browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Sit down before a browser."""
        self._client = client

    @classmethod
    def at(cls, portal_url: str) -> Self:
        """Open a browser on the portal.

        The name of the portal means this machine in every browser, but not in every resolver.
        """
        url = urlsplit(portal_url)
        return cls(
            httpx.AsyncClient(
                base_url=f"{url.scheme}://{LOOPBACK}:{url.port}",
                headers={"Host": url.netloc, "Origin": portal_url, "Accept-Language": "en"},
                timeout=_TIMEOUT_SECONDS,
                trust_env=False,
            )
        )

    async def sign_in(self, user: str, password: str) -> None:
        """Sign in.

        Raises:
            PortalRefusedError: Name or password is wrong, or the portal is not there.
        """
        await self._client.get("/sign-in")
        answer = await self._client.post("/sign-in", data={"user": user, "password": password})
        if answer.status_code != HTTPStatus.SEE_OTHER:
            raise PortalRefusedError(f"signing in was answered with {answer.status_code}")

    async def authorise(self, otp: Otp, onset: date) -> None:
        """Enter the code as it was dictated, and the day on which the symptoms began.

        Raises:
            PortalRefusedError: The code was not authorised.
        """
        page = await self._client.get("/")
        form = {
            **hidden_fields(page.text),
            "code": grouped(otp).lower(),
            "onset": "other",
            "onset_date": onset.isoformat(),
        }
        answer = await self._client.post("/authorise", data=form)
        if answer.headers.get("location", "").endswith("/authorised"):
            return
        raise PortalRefusedError(f"authorising was answered with {answer.status_code}")

    async def leave(self) -> None:
        """Close the browser."""
        await self._client.aclose()


class _Fields(HTMLParser):
    """Gathers the hidden fields of a page's forms."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "input" and values.get("type") == "hidden":
            self.found[values.get("name") or ""] = values.get("value") or ""


def hidden_fields(page: str) -> Mapping[str, str]:
    """Return the hidden fields of a page's forms, by name."""
    fields = _Fields()
    fields.feed(page)
    return fields.found
