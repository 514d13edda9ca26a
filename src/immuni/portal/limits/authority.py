"""Who may stop whom, let go again, and allow more: decided without I/O."""

from dataclasses import dataclass

from immuni.errors import ImmuniError
from immuni.portal.accounts.account import Account
from immuni.portal.limits.rules import Scope


class OutOfReachError(ImmuniError, PermissionError):
    """Whoever asks looks after somebody else; nothing was done."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whose authorising is stopped or widened.

    Attributes:
        scope: Of which kind.
        subject_id: The account or organisation; None for everything.
        organisation_id: To which organisation it belongs; None for everything.
    """

    scope: Scope
    subject_id: int | None
    organisation_id: int | None


def require_reach(account: Account, target: Target) -> None:
    """Make sure that an account may stop a target, or allow it more.

    Supervisors look after their own organisation and its people, administrators after everything.

    Raises:
        OutOfReachError: It may not.
    """
    if account.role.whole_authority:
        return
    if target.scope is Scope.EVERYTHING or target.organisation_id != account.organisation_id:
        raise OutOfReachError(f"{account.role} of another organisation")


def require_release(account: Account, target: Target, *, by_authority: bool) -> None:
    """Make sure that an account may let a target go on.

    Args:
        account: Who wants it.
        target: Who is stopped.
        by_authority: Whether an administrator stopped it, who alone may undo that.

    Raises:
        OutOfReachError: It may not.
    """
    require_reach(account, target)
    if by_authority and not account.role.whole_authority:
        raise OutOfReachError("an administrator stopped it")
