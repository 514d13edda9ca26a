"""What stands at the top of every page: the places where somebody's role lets them go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from immuni.portal.accounts.account import Account
from immuni.portal.accounts.roles import Permission
from immuni.web.languages import translatable


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One place.

    Attributes:
        path: Where it is.
        label: What it is called, in English.
        needs: Who may go there.
    """

    path: str
    label: str
    needs: Permission


MENU: Final = (
    MenuEntry("/", translatable("Authorise"), Permission.AUTHORISE),
    MenuEntry("/day", translatable("My day"), Permission.SEE_OWN_DAY),
    MenuEntry("/practice", translatable("Practice"), Permission.PRACTISE),
    MenuEntry("/watch", translatable("Warnings"), Permission.STOP),
    MenuEntry("/totals", translatable("Totals"), Permission.SEE_TOTALS),
    MenuEntry("/people", translatable("People"), Permission.MANAGE_PEOPLE),
    MenuEntry("/organisations", translatable("Organisations"), Permission.MANAGE_ORGANISATIONS),
    MenuEntry("/settings", translatable("Settings"), Permission.MANAGE_SETTINGS),
    MenuEntry("/audit", translatable("Audit"), Permission.READ_AUDIT),
    MenuEntry("/help", translatable("Help"), Permission.BE_HERE),
)
"""In the order in which they stand; the first that an account may see is where it begins."""


def insights_of(account: Account, url: str) -> str:
    """Return where an account finds the figures of the whole country; empty where it may not."""
    return url if account.may(Permission.SEE_TOTALS) else ""


def menu_of(account: Account) -> Sequence[MenuEntry]:
    """Return the places where an account may go."""
    return [entry for entry in MENU if account.may(entry.needs)]
