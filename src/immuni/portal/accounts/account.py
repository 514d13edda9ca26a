"""Somebody who may enter, and the name with which they do."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from immuni.errors import ImmuniError
from immuni.portal.accounts.roles import Permission, Role

_USER: Final = re.compile(r"[\w.@+\-]{2,80}")
_PLAIN_USER: Final = re.compile(r"[a-z0-9_.@+\-]+")
_SPACES: Final = re.compile(" +")
MAX_NAME_LENGTH: Final = 80


class InvalidUserError(ImmuniError, ValueError):
    """A new account's name is not allowed; nothing was changed."""


class InvalidNameError(ImmuniError, ValueError):
    """What somebody is to be called cannot be shown safely; nothing was changed."""


class AccountExistsError(ImmuniError, ValueError):
    """An account of that name is there already; it was left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who may enter.

    Attributes:
        user: The name with which they sign in.
        organisation_id: The hospital or region that they work for.
        organisation: Its name.
        role: What the account is for.
        password_hash: Argon2id, encoded; None where they show in another way who they are.
        name: What they are called; empty where nobody said.
        works_from: The day, where the operators work, from which their organisation authorises.
    """

    id: int
    user: str
    organisation_id: int
    organisation: str
    role: Role
    password_hash: str | None = field(repr=False)
    name: str = ""
    works_from: date = date.min

    @property
    def shown_name(self) -> str:
        """What pages call them."""
        return self.name or self.user

    def may(self, permission: Permission) -> bool:
        """Tell whether the account's role allows something."""
        return permission in self.role.permissions


def same_user(typed: str) -> str:
    """Return the one spelling of a user name; empty where no account can have that name.

    Capitals and outer spaces do not count.
    """
    user = unicodedata.normalize("NFKC", typed).strip().casefold()
    return user if _USER.fullmatch(user) else ""


def parse_user(text: str) -> str:
    """Return `text` as the name of a new account.

    Letters are those of the Latin alphabet, with or without accents: a letter of another alphabet
    that looks like one of them would make two names out of what people read as one.

    Raises:
        InvalidUserError: It is not 2..80 letters, digits and ``. @ + - _``.
    """
    user = same_user(text)
    bare = "".join(each for each in unicodedata.normalize("NFD", user) if not _is_accent(each))
    if not _PLAIN_USER.fullmatch(bare):
        raise InvalidUserError("a user name has 2 to 80 letters, digits, or one of . @ + - _")
    return user


def parse_name(text: str) -> str:
    """Return `text` as what somebody, or something, is called; it may be empty.

    Raises:
        InvalidNameError: It is longer than 80 characters, or holds one that is not shown: control
            characters, and those that turn the direction of writing round.
    """
    name = _SPACES.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidNameError(f"a name has at most {MAX_NAME_LENGTH} characters")
    if any(unicodedata.category(each)[0] == "C" or each in "\u2028\u2029" for each in name):
        raise InvalidNameError("a name holds a character that is not shown")
    return name


def _is_accent(character: str) -> bool:
    return unicodedata.category(character) == "Mn"
