"""How many files a process may have open: each connection is one.

A system gives every process a low limit that it may raise by itself (often 1 024), for the sake of
programs that cannot bear more, and a high one that it may not.

Source:
    getrlimit(2), ``RLIMIT_NOFILE``.
"""

import resource
from typing import Final

from immuni.telemetry import logger

WANTED: Final = 16_384
"""10 000 requests that wait for the moment of their answer, and connections between requests."""

_log = logger("open_files")


def allow_open_files() -> None:
    """Raise the limit as far as the system allows, and warn where that is not far enough.

    A process at its limit goes on with the connections that it has, and accepts no others.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most != resource.RLIM_INFINITY and most < WANTED:
        _log.warning("open_files_limited", limit=most, wanted=WANTED)
