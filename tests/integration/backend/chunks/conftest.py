"""A real S3 server, in a process and an environment of its own."""

import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from immuni.backend.chunks import ChunkStoreSettings
from tests.running import eventually

_SERVER = Path(__file__).parents[4] / ".venv" / "s3" / "bin" / "moto_server"
_UP_WITHIN_SECONDS = 60
FILES_IN_A_LISTING = 50
"""S3 itself puts a thousand into one; to write so many would take half a minute."""


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Run the server for the tests of this process."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen(
        [str(_SERVER), "--host", "127.0.0.1", "--port", str(port)],
        env=os.environ | {"MOTO_S3_DEFAULT_MAX_KEYS": str(FILES_IN_A_LISTING)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            eventually(lambda: _answers(port), within_seconds=_UP_WITHIN_SECONDS)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _answers(port: int) -> bool | None:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return None
    return True


@pytest.fixture
def bucket(s3_endpoint: str) -> ChunkStoreSettings:
    """Return the settings of a new, empty bucket."""
    name = f"chunks-{uuid.uuid4().hex}"
    httpx.put(f"{s3_endpoint}/{name}", trust_env=False).raise_for_status()
    return ChunkStoreSettings(
        chunk_store=f"s3://{name}/published",
        s3_endpoint=s3_endpoint,
        s3_access_key_id="login",
        s3_secret_access_key="not-a-word-of-it",
    )
