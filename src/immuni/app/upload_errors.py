"""What can keep an upload from going on. Nothing is lost by any of them."""

from datetime import datetime

from immuni.errors import ImmuniError


class UploadError(ImmuniError):
    """The upload did not go on; the step can be tried again."""


class CheckLockedError(UploadError, PermissionError):
    """The last refused code was too recent; nothing was asked.

    Attributes:
        until: When the next check is allowed, by the phone's clock.
    """

    def __init__(self, until: datetime) -> None:
        super().__init__("the next check is locked for a while")
        self.until = until


class CodeNotAuthorisedError(UploadError, PermissionError):
    """The server does not know the code: the operator has not confirmed it, or mistyped it."""


class CodeExpiredError(UploadError, PermissionError):
    """The code was authorised once and is not any more; a new one is needed, nothing was sent."""


class ServerBusyError(UploadError, ConnectionError):
    """The server has too much to do; nothing was taken."""


class ServerRefusedError(UploadError, ValueError):
    """The server did not accept the request as it is; nothing was taken."""


class UploadOrderError(UploadError, RuntimeError):
    """A step was taken before the one that it follows; nothing happened."""
