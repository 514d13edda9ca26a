"""A background session trusts the pinned authority over TLS, and nobody else."""

from pathlib import Path

import pytest

from immuni.app.build import pinned_tls
from immuni.app.phone import Phone
from immuni.app.record import CheckFailure
from tests.integration.app.tls import Authority, answering
from tests.integration.app.vouching import Patient
from tests.integration.app.world import World

pytestmark = pytest.mark.anyio

NO_CHUNKS = b'{"error_code":1301,"message":"None."}'
HEAD = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
ANSWER = HEAD % len(NO_CHUNKS) + NO_CHUNKS
VALID, EXPIRED = (-1, 1), (-5, -1)


@pytest.fixture
def pinned(tmp_path: Path) -> Authority:
    return folder_of(tmp_path, "pinned")


def folder_of(parent: Path, name: str) -> Authority:
    folder = parent / f"{name}-authority"
    folder.mkdir()
    return Authority(folder)


async def after_a_session(
    world: World, pinned: Authority, signer: Authority, *, days: tuple[int, int] = VALID
) -> Phone:
    """Run a session with a host whose certificate `signer` made; none of its chunks is there."""
    async with answering(ANSWER, signer.server_context(days=days)) as port:
        world.url = f"https://localhost:{port}"
        world.tls = pinned_tls(pinned.certificate_file)
        phone = await world.add_ready("alice", entropy=Patient("alice"))
        await phone.background_session()
    return phone


async def test_a_host_with_a_certificate_of_the_pinned_authority_is_believed(
    world: World, pinned: Authority
) -> None:
    phone = await after_a_session(world, pinned, pinned)

    assert phone.record.failure is None
    assert phone.record.last_check == world.clock.now()


async def test_a_host_with_a_certificate_of_another_authority_is_not(
    world: World, pinned: Authority, tmp_path: Path
) -> None:
    phone = await after_a_session(world, pinned, folder_of(tmp_path, "other"))

    assert phone.record.failure is CheckFailure.UNREACHABLE


async def test_a_host_with_an_expired_certificate_is_not(world: World, pinned: Authority) -> None:
    phone = await after_a_session(world, pinned, pinned, days=EXPIRED)

    assert phone.record.failure is CheckFailure.UNREACHABLE
