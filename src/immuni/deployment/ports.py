"""Finding out whether ports are free, before anything is started."""

import socket
from collections.abc import Iterable
from typing import Final

from immuni.deployment.roles import LOOPBACK
from immuni.errors import ImmuniError

# A system takes fourteen; people count in tens.
_BLOCK: Final = 20
# Below the ports that the kernel lends to clients: one of those, asking a server that is just
# being started again, could be lent the server's own port and keep it.
_FIRST: Final = 20_000
_LAST: Final = 32_000


class PortTakenError(ImmuniError, OSError):
    """Another program answers on a port that is needed; nothing was started."""


def require_free(ports: Iterable[int]) -> None:
    """Make sure that servers can bind `ports` on loopback.

    Raises:
        PortTakenError: At least one is taken; all of them are named.
    """
    taken = [str(port) for port in ports if not _is_free(port)]
    if taken:
        raise PortTakenError(
            f"taken on {LOOPBACK}: port {', '.join(taken)}; end the program that uses it, "
            "or choose another place with --base-port"
        )


def free_block(start: int) -> int:
    """Return the first of fourteen neighbouring free ports at or after `start`, going round once.

    Raises:
        PortTakenError: There are none.
    """
    span = _LAST - _FIRST
    for step in range(0, span, _BLOCK):
        base = _FIRST + (start + step) % span // _BLOCK * _BLOCK
        if all(_is_free(port) for port in range(base, base + _BLOCK)):
            return base
    raise PortTakenError("no fourteen neighbouring free ports on this machine")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a port whose last connections still fade away counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
