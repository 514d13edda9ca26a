"""Canaille, a real OpenID provider, in a process and an environment of its own."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from immuni.portal.oidc.providers import Provider
from tests.running import eventually

USER: Final = "anna.verdi"
PASSWORD: Final = "a password of the region"
NAME: Final = "emilia-romagna"
TITLE: Final = "Regione Emilia-Romagna"
_PROGRAM: Final = Path(__file__).parents[3] / ".venv" / "oidc" / "bin" / "canaille"
_UP_WITHIN_SECONDS: Final = 60
_SETTINGS: Final = """
SECRET_KEY = "for tests alone"
SERVER_NAME = "127.0.0.1:{port}"
PREFERRED_URL_SCHEME = "http"
[CANAILLE]
DATABASE = "memory"
ENABLE_REGISTRATION = true
EMAIL_CONFIRMATION = false
CAPTCHA_ENABLED = false
[CANAILLE_OIDC]
DYNAMIC_CLIENT_REGISTRATION_OPEN = true
TRUSTED_DOMAINS = []
"""


@dataclass(frozen=True, slots=True)
class Canaille:
    """A provider that answers.

    Attributes:
        origin: Where it is; also its issuer.
    """

    origin: str

    def register_portal(self, portal_url: str) -> Provider:
        """Make the portal known to it, as whoever runs it would."""
        answer = httpx.post(
            f"{self.origin}/oauth/register",
            json={
                "client_name": "immuni",
                "redirect_uris": [f"{portal_url}/sign-in/with/{NAME}/back"],
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "client_secret_basic",
                "scope": "openid",
            },
            trust_env=False,
        )
        client = answer.raise_for_status().json()
        return Provider(
            name=NAME,
            title=TITLE,
            issuer=self.origin,
            client_id=client["client_id"],
            client_secret=client["client_secret"],
        )

    def add_user(self) -> None:
        """Have anna make herself an account there."""
        with httpx.Client(base_url=self.origin, trust_env=False) as browser:
            token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/register").text)
            assert token
            form = {
                "csrf_token": token[1],
                "user_name": USER,
                "family_name": "Verdi",
                "emails-0": "anna@region.example",
                "password1": PASSWORD,
                "password2": PASSWORD,
                "action": "create-profile",
            }
            answer = browser.post("/register", data=form)
            assert answer.is_redirect, answer.text


@contextmanager
def running_canaille(folder: Path) -> Iterator[Canaille]:
    """Run it until the block ends; it keeps everything in memory."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = folder / "canaille.toml"
    settings.write_text(_SETTINGS.format(port=port), encoding="utf-8")
    with subprocess.Popen(
        [str(_PROGRAM), "run", "--bind", f"127.0.0.1:{port}"],
        cwd=folder,
        env=os.environ | {"CANAILLE_CONFIG": str(settings)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            canaille = Canaille(f"http://127.0.0.1:{port}")
            eventually(lambda: _answers(canaille), within_seconds=_UP_WITHIN_SECONDS)
            canaille.add_user()
            yield canaille
        finally:
            # Its workers as well, which wait for a browser's idle connections.
            os.killpg(process.pid, signal.SIGKILL)


def _answers(canaille: Canaille) -> bool | None:
    try:
        httpx.get(f"{canaille.origin}/.well-known/openid-configuration", trust_env=False)
    except httpx.TransportError:
        return None
    return True
