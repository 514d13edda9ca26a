"""Somebody who may enter, and the name with which they do."""

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from immuni.errors import ImmuniError
from immuni.portal.accounts.roles import Permission, Role

_USER: Final = re.compile(r"[\w.@+\-]{2,80}")


class InvalidUserError(ImmuniError, ValueError):
    """A new account's name is not allowed; nothing was changed."""


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
        password_hash: Argon2id, encoded.
    """

    id: int
    user: str
    organisation_id: int
    organisation: str
    role: Role
    password_hash: str = field(repr=False)

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

    Raises:
        InvalidUserError: It is not 2..80 letters, digits and ``. @ + - _``.
    """
    user = same_user(text)
    if not user:
        raise InvalidUserError("a user name has 2 to 80 letters, digits, or one of . @ + - _")
    return user
