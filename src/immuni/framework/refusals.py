"""Why the framework's face refuses something."""

from collections.abc import Awaitable, Callable

from immuni.errors import ImmuniError

Question = Callable[[], Awaitable[bool]]
"""Shows something to the user; returns whether they agreed, or have seen it."""


class DetectionQuotaError(ImmuniError, RuntimeError):
    """The detections of this UTC day are used up; nothing was read."""


class UntrustedClockError(ImmuniError, RuntimeError):
    """The clock was turned back, so that published keys could pass for fresh; nothing was read."""


class ConsentRefusedError(ImmuniError, PermissionError):
    """The user did not agree; no key was handed out and nothing changed."""


class UserNotToldError(ImmuniError, PermissionError):
    """The user was not told of the exposure; nothing of it was handed out."""
