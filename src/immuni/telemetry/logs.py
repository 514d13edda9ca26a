"""Structured logs on standard error.

Events are constant names in the past tense; fields are plain values. Never in a field: keys,
identifiers, codes or their hashes, tokens, addresses, a province beside anything else.
"""

import logging
import sys
from typing import Final, TypeAlias

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

Logger: TypeAlias = FilteringBoundLogger

_PLAIN: Final = (str, int, float, bool, type(None))


def plain_values_only(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Refuse bytes, keys and domain objects: log counts and reasons instead.

    Raises:
        TypeError: A field holds something else than a plain value.
    """
    for name, value in event.items():
        if not isinstance(value, _PLAIN):
            raise TypeError(f"log field {name!r} holds a {type(value).__name__}")
    return event


def configure_logs(*, level: str = "info", json: bool = True) -> None:
    """Send the project's events, and warnings of libraries, to standard error.

    Args:
        level: The least important level that is written.
        json: One JSON object a line, for machines; else a line for people.
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            plain_values_only,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries speak only when something is wrong; their access logs would hold addresses.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)


def logger(area: str) -> Logger:
    """Return the logger of one area of the system."""
    bound: Logger = structlog.get_logger(area=area)
    return bound
