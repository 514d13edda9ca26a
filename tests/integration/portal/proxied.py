"""A real nginx before the portal, which serves it under a path prefix and nothing beside it."""

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from immuni.deployment.nginx import find_nginx
from tests.running import a_free_base_port

_DEADLINE_SECONDS: Final = 30
_CONFIGURATION: Final = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/bodies;
  proxy_temp_path {folder}/answers;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    proxy_set_header Host $http_host;
    location {prefix}/ {{ proxy_pass http://127.0.0.1:{portal}/; }}
    location / {{ return 404; }}
  }}
}}
"""


def free_port() -> int:
    """Return a port on which nginx may listen."""
    return a_free_base_port()


@asynccontextmanager
async def nginx_with_prefix(
    prefix: str, *, port: int, portal: int, folder: Path
) -> AsyncIterator[None]:
    """Serve the portal, which listens on `portal`, for as long as the block runs."""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, port=port, prefix=prefix, portal=portal)
    )
    nginx = await asyncio.create_subprocess_exec(
        find_nginx(), "-c", configuration, "-e", folder / "error.log", stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            await _answers(port)
        yield
    finally:
        nginx.terminate()
        await nginx.wait()


async def _answers(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
