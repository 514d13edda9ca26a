"""Telling the service manager how the daemon is.

Source:
    systemd, ``sd_notify(3)``: datagrams of ``NAME=value`` lines to the socket that the environment
    names.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Self


class ServiceManager:
    """Whoever started the daemon; where nobody listens, nothing is said.

    Attributes:
        watchdog_period: The daemon must be heard of at least so often; None for no such wish.
    """

    watchdog_period: timedelta | None

    def __init__(self, address: str | None, watchdog_period: timedelta | None = None) -> None:
        """Speak to the datagram socket `address`; a leading ``@`` means an abstract one."""
        self._address = address
        self.watchdog_period = watchdog_period

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Return the manager that `environment` names."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        period = timedelta(microseconds=int(microseconds)) if microseconds.isdecimal() else None
        return cls(environment.get("NOTIFY_SOCKET"), period or None)

    def tell(self, **facts: str) -> None:
        """Send facts such as ``READY="1"``; a manager that went away is no fault of ours."""
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        lines = "\n".join(f"{name}={value}" for name, value in facts.items())
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
            speaker.sendto(lines.encode(), address)
