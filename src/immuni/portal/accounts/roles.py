"""What each account is for, and what that allows: one table, and what is not in it is forbidden."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """Something that not everybody may do."""

    BE_HERE = "be_here"
    AUTHORISE = "authorise"
    PRACTISE = "practise"
    SEE_OWN_DAY = "see_own_day"
    SEE_TOTALS = "see_totals"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_ORGANISATIONS = "manage_organisations"
    STOP = "stop"
    MANAGE_SETTINGS = "manage_settings"
    READ_AUDIT = "read_audit"


class Role(StrEnum):
    """What an account is for."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the role allows."""
        return _PERMISSIONS[self]

    @property
    def whole_authority(self) -> bool:
        """Whether it looks after every organisation, not only its own."""
        return self in (Role.ADMINISTRATOR, Role.AUDITOR)


_OPERATOR: Final = frozenset(
    {Permission.BE_HERE, Permission.AUTHORISE, Permission.PRACTISE, Permission.SEE_OWN_DAY}
)
_SUPERVISOR: Final = _OPERATOR | {
    Permission.SEE_TOTALS,
    Permission.MANAGE_PEOPLE,
    Permission.STOP,
}
# Neither of the two talks to those who tested positive, so neither can authorise a code.
_ADMINISTRATOR: Final = frozenset(
    {
        Permission.BE_HERE,
        Permission.PRACTISE,
        Permission.SEE_TOTALS,
        Permission.MANAGE_PEOPLE,
        Permission.MANAGE_ORGANISATIONS,
        Permission.STOP,
        Permission.MANAGE_SETTINGS,
    }
)
_AUDITOR: Final = frozenset({Permission.BE_HERE, Permission.READ_AUDIT})

_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.OPERATOR: _OPERATOR,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMINISTRATOR: _ADMINISTRATOR,
    Role.AUDITOR: _AUDITOR,
}
