"""``python -m immuni.testing.apple``: the server as a process of its own, on loopback."""

import argparse
import asyncio
import socket
import sys
from pathlib import Path

import uvicorn
from joserfc.jwk import ECKey

from immuni.clock import MovedClock, SystemClock
from immuni.testing.apple import AppleDeviceCheck, Developer


class _Server(uvicorn.Server):
    """Prints one line when it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        sys.stdout.write("ready\n")
        sys.stdout.flush()


def main() -> None:
    """Answer until SIGTERM."""
    parser = argparse.ArgumentParser(description="A stand-in for Apple's DeviceCheck.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--team-id", required=True)
    parser.add_argument("--key-id", required=True)
    parser.add_argument("--public-key", type=Path, required=True, help="PEM, on P-256")
    parser.add_argument("--clock", type=Path, required=True, help="how far the time is ahead")
    given = parser.parse_args()
    key = ECKey.import_key(given.public_key.read_text(encoding="ascii"))
    developer = Developer(given.team_id, {given.key_id: key})
    apple = AppleDeviceCheck(developer, MovedClock(given.clock, SystemClock()))
    config = uvicorn.Config(
        apple.app,
        host="127.0.0.1",
        port=given.port,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    asyncio.run(_Server(config).serve())


if __name__ == "__main__":
    main()
