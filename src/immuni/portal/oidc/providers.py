"""The OpenID providers with which people may sign in, as a file tells of them."""

import stat
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

import msgspec

from immuni.settings import SettingsError, duration, parse_duration, path, setting

_MAX_AGES: Final = (timedelta(0), timedelta(days=1))

Word: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,255}\Z")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIdSettings:
    """With whom people may sign in besides the portal itself, and how long that may take."""

    portal_openid_providers: Path | None = setting(
        path(),
        default=None,
        meaning="A TOML file of the OpenID providers with which people may sign in to the portal.",
    )
    portal_openid_timeout: timedelta = setting(
        duration("500ms", "30s"),
        default=timedelta(seconds=5),
        meaning="How long the portal waits for one whole answer of an OpenID provider.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Somebody who knows the staff of a region, and says who signs in.

    Attributes:
        name: What it is called in addresses and in the audit trail.
        title: What people know it as.
        issuer: Who it is; what its tokens say and where its description lies.
        client_id: The name under which it knows the portal.
        client_secret: By what it knows that it is the portal.
        scopes: What is asked for; ``openid`` is among them.
        second_factor_amr: Methods of which one, in the token, counts as a second factor.
        second_factor_acr: Levels of which one, in the token, counts as a second factor.
        max_age: How long ago people may have shown it who they are; None leaves that to it.
    """

    name: str
    title: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: Sequence[str] = ("openid",)
    second_factor_amr: frozenset[str] = frozenset()
    second_factor_acr: frozenset[str] = frozenset()
    max_age: timedelta | None = None


class _Table(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One ``[[provider]]`` of the file."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}\Z")]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    issuer: Word
    client_id: Word
    client_secret: Annotated[str, msgspec.Meta(min_length=16, max_length=512)]
    scopes: list[Word] = msgspec.field(default_factory=list)
    second_factor_amr: list[Word] = msgspec.field(default_factory=list)
    second_factor_acr: list[Word] = msgspec.field(default_factory=list)
    max_age: str = ""


def is_safe_url(text: str) -> bool:
    """Tell whether secrets may be sent to a URL: over TLS, or without leaving the machine."""
    try:
        url = urlsplit(text)
        host = url.hostname or ""
    except ValueError:
        return False
    local = host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")
    reached = url.scheme == "https" or (url.scheme == "http" and local)
    return reached and bool(host) and url.username is None and not url.fragment


def read_providers(file: Path | None) -> Sequence[Provider]:
    """Read the file of providers.

    Args:
        file: Where it is; None means that there are none.

    Raises:
        SettingsError: It cannot be read, is readable by everybody although it holds secrets, or
            tells of a provider with which nobody could sign in safely; all faults are told.
    """
    if file is None:
        return ()
    try:
        mode = file.stat().st_mode
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([f"portal_openid_providers: {file}: {error}"]) from error
    faults: list[str] = []
    if stat.S_IMODE(mode) & stat.S_IRWXO:
        faults.append(f"portal_openid_providers: {file} can be read by others, want chmod 600")
    providers: list[Provider] = []
    listed = tables.get("provider")
    if set(tables) != {"provider"} or not isinstance(listed, list):
        faults.append(f"portal_openid_providers: {file} holds no [[provider]], or more than that")
        listed = []
    for number, table in enumerate(listed, start=1):
        try:
            providers.append(_provider(table))
        except ValueError as error:
            faults.append(f"portal_openid_providers: provider {number}: {error}")
    faults += [
        f"portal_openid_providers: two providers have the same {each}"
        for each in ("name", "issuer")
        if len({getattr(provider, each) for provider in providers}) != len(providers)
    ]
    if faults:
        raise SettingsError(faults)
    return providers


def _provider(table: object) -> Provider:
    """Read one table; every fault is a ValueError that shows no secret."""
    read = msgspec.convert(table, _Table)
    if not is_safe_url(read.issuer) or urlsplit(read.issuer).query:
        raise ValueError(f"issuer {read.issuer!r} is no https:// URL without a query")
    max_age = parse_duration(read.max_age) if read.max_age else None
    if max_age is not None and not _MAX_AGES[0] <= max_age <= _MAX_AGES[1]:
        raise ValueError(f"max_age {read.max_age!r} is not from 0s to 1d")
    return Provider(
        name=read.name,
        title=read.title,
        issuer=read.issuer,
        client_id=read.client_id,
        client_secret=read.client_secret,
        scopes=tuple(dict.fromkeys(["openid", *read.scopes])),
        second_factor_amr=frozenset(read.second_factor_amr),
        second_factor_acr=frozenset(read.second_factor_acr),
        max_age=max_age,
    )
