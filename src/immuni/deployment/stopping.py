"""How every process of the system learns that it is to end."""

import asyncio
import signal
from collections.abc import Callable


def on_stop_signals(stop: Callable[[], object]) -> None:
    """Call `stop` at the first SIGTERM, Ctrl-C or hang-up, and ignore those that follow.

    A second signal would break the orderly stop that the first one began.
    """
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    def once() -> None:
        for wanted in signals:
            loop.add_signal_handler(wanted, lambda: None)
        stop()

    for wanted in signals:
        loop.add_signal_handler(wanted, once)
