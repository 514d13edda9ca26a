"""What can go wrong between the portal and a provider, as people and the audit trail see it."""

from enum import StrEnum

from immuni.errors import ImmuniError


class Reason(StrEnum):
    """Why somebody does not get in with a provider.

    Nothing of what a provider writes is shown or kept: whoever makes a browser come back can write
    there what they like.
    """

    CANCELLED = "cancelled"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    NOT_TRUSTED = "not_trusted"
    NOT_LINKED = "not_linked"
    STALE = "stale"
    TAKEN = "taken"


class ProviderError(ImmuniError, PermissionError):
    """Nobody has shown who they are; nothing was changed.

    Attributes:
        reason: What happened.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep what happened; the message is for the log."""
        super().__init__(message)
        self.reason = reason
