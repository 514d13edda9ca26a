"""Refusals that the HTTP shell itself pronounces."""

from datetime import timedelta

from immuni.errors import ImmuniError


class ShellError(ImmuniError, ValueError):
    """A request breaks a rule of the shell; it reached no service."""


class BodyTooLargeError(ShellError):
    """A body is longer than the limit; the rest of it was not read."""


class BodyTimeoutError(ShellError):
    """A body did not arrive in time; what had come was dropped."""


class ContentTypeError(ShellError):
    """The body's type is not the one that the endpoint reads."""


class HeaderError(ShellError):
    """A header that may stand once stands more often, or is not text."""


class PathError(ShellError):
    """A path is spelt in a way that would give one resource two addresses."""


class QueryError(ShellError):
    """The query string holds an argument that is unknown, repeated, missing or malformed."""


class RangeError(ShellError):
    """A range of bytes lies behind the end of the resource.

    Attributes:
        size_bytes: Length of the resource; told to the client.
    """

    def __init__(self, message: str, *, size_bytes: int) -> None:
        """Keep the length beside the message."""
        super().__init__(message)
        self.size_bytes = size_bytes


class RetryLaterError(ImmuniError):
    """The request cannot be answered now; nothing was done.

    Attributes:
        retry_after: When to try again; told to the client in whole seconds, at least one.
    """

    def __init__(self, message: str, *, retry_after: timedelta = timedelta(seconds=5)) -> None:
        """Keep the wait beside the message."""
        super().__init__(message)
        self.retry_after = retry_after


class OverloadedError(RetryLaterError):
    """As many requests as the process takes are being worked on."""
