"""How often a serving process looks for garbage that refers to itself in circles."""

import gc
from typing import Final

_YOUNG: Final = 10_000
"""New objects, by default 700. A request makes some hundred and leaves no circle behind: by default
each third one would pay for a look at everything that the waiting ones hold."""


def collect_rarely() -> None:
    """Look for garbage after many requests, and never among what is there now.

    For when a process is about to serve: its modules and tables stay until it ends.
    """
    gc.collect()
    gc.freeze()
    _, old, oldest = gc.get_threshold()
    gc.set_threshold(_YOUNG, old, oldest)
