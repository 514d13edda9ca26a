from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from immuni.portal.oidc.providers import is_safe_url, read_providers
from immuni.settings import SettingsError

SECRET: Final = "a secret of the portal"
WHOLE: Final = f"""
[[provider]]
name = "emilia-romagna"
title = "Regione Emilia-Romagna"
issuer = "https://id.example/realms/staff"
client_id = "immuni"
client_secret = "{SECRET}"
scopes = ["profile"]
second_factor_amr = ["mfa"]
second_factor_acr = ["https://id.example/strong"]
max_age = "10h"

[[provider]]
name = "veneto"
title = "Regione del Veneto"
issuer = "https://id.veneto.example"
client_id = "immuni"
client_secret = "{SECRET}"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "providers.toml"
    path.touch(mode=0o600)
    return path


def faults_of(file: Path, text: str) -> str:
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_providers(file)
    assert SECRET not in str(caught.value)
    return "\n".join(caught.value.faults)


def test_without_a_file_there_is_no_provider() -> None:
    assert read_providers(None) == ()


def test_a_file_tells_of_several(file: Path) -> None:
    file.write_text(WHOLE)

    first, second = read_providers(file)

    assert (first.title, second.title) == ("Regione Emilia-Romagna", "Regione del Veneto")
    assert first.scopes == ("openid", "profile")
    assert first.second_factor_amr == {"mfa"}
    assert first.second_factor_acr == {"https://id.example/strong"}
    assert first.max_age == timedelta(hours=10)
    assert second.scopes == ("openid",)
    assert second.max_age is None
    assert not second.second_factor_amr | second.second_factor_acr


def test_the_secret_is_not_shown(file: Path) -> None:
    file.write_text(WHOLE)

    assert SECRET not in repr(read_providers(file))


def test_all_faults_are_told_at_once(file: Path) -> None:
    file.chmod(0o604)

    faults = faults_of(
        file,
        WHOLE.replace('"emilia-romagna"', '"Emilia Romagna"').replace(
            "https://id.veneto.example", "http://id.veneto.example"
        ),
    )

    for words in ("can be read by others", "provider 1", "`$.name`", "provider 2", "no https://"):
        assert words in faults


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"veneto"', '"emilia-romagna"', "the same name"),
        ("https://id.veneto.example", "https://id.example/realms/staff", "the same issuer"),
        ("max_age", "max_aeg", "max_aeg"),
        ('"10h"', '"25h"', "not from 0s to 1d"),
        ('"10h"', '"soon"', "not a duration"),
        ("/realms/staff", "?realm=staff", "without a query"),
        ("[[provider]]", "[[providers]]", "no [[provider]]"),
        ("[[provider]]", "[[provider", "providers.toml"),
        (SECRET, "short", "client_secret"),
        ('client_id = "immuni"', "", "client_id"),
    ],
)
def test_a_provider_with_whom_nobody_could_sign_in_safely_is_refused(
    file: Path, old: str, new: str, words: str
) -> None:
    assert words in faults_of(file, WHOLE.replace(old, new))


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nothing\.toml"):
        read_providers(tmp_path / "nothing.toml")


def test_secrets_travel_over_tls_or_stay_on_the_machine() -> None:
    for safe in ("https://id.example", "http://127.0.0.1:1", "http://[::1]", "http://x.localhost"):
        assert is_safe_url(safe), safe
    for unsafe in (
        "http://id.example",
        "https://",
        "https://user@id.example",
        "https://id.example#x",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://[",
        "",
    ):
        assert not is_safe_url(unsafe), unsafe
