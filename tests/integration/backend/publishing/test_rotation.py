"""The signing key is replaced while chunks are published, and no phone refuses one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from immuni.backend.infectiousness import Diagnosis
from immuni.backend.publishing.publisher import Publisher
from immuni.backend.signing.inventory import Kind, Purpose, State
from immuni.clock import ManualClock
from immuni.deployment.databases import ServicesDatabase
from immuni.deployment.layout import Layout
from immuni.deployment.signing_keys import (
    add_key,
    ensure_signing_keys,
    keyring_of,
    retire_key,
)
from immuni.export import VerificationKey, read_export
from immuni.export.errors import SignatureMismatchError
from tests.publishing import NOW, Press, keep_upload, keys_of_days

pytestmark = pytest.mark.anyio


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "system")
    layout.prepare()
    ensure_signing_keys(layout, NOW)
    return layout


async def test_phones_of_before_and_after_read_every_chunk_of_a_rotation(
    services_database: ServicesDatabase, tmp_path: Path, layout: Layout
) -> None:
    press, keyring = Press(tmp_path, services_database, ManualClock(NOW)), keyring_of(layout)
    old = keyring.pinned_keys()
    async with press.publisher() as made:
        publisher = replace(
            made, signers=keyring.signers, verification_keys=keyring.verification_keys
        )
        first = await published(press, publisher, "first")
        add_key(
            layout, Purpose.EXPORT, State.JOINING, kind=Kind.LOCAL, place={}, public=None, now=NOW
        )
        both = keyring.pinned_keys()
        during = await published(press, publisher, "during")
        retire_key(layout, Purpose.EXPORT, None, NOW)
        new = keyring.pinned_keys()
        after = await published(press, publisher, "after")
        recovered = await recovered_after_losing_rows(press, publisher)

    assert [len(keys) for keys in (old, both, new)] == [1, 2, 1]
    # Who signed first comes first: a reader that looks at one signature alone finds the old one.
    assert [readable(during, keys) for keys in (old, both, new)] == [True, True, True]
    assert [readable(first, keys) for keys in (old, both, new)] == [True, True, False]
    assert [readable(after, keys) for keys in (old, both, new)] == [False, True, True]
    assert recovered == 3


async def published(press: Press, publisher: Publisher, seed: str) -> bytes:
    """Publish one person's keys, and return the file."""
    teks = keys_of_days(NOW.date() - timedelta(days=1), days=3, seed=seed)
    await keep_upload(press.database, teks, Diagnosis(NOW.date() - timedelta(days=4), None))
    assert (await publisher.publish()).chunks == 1
    newest = max(await press.chunks.names(), key=lambda name: name.index)
    return await press.chunks.read(newest)


async def recovered_after_losing_rows(press: Press, publisher: Publisher) -> int:
    """Lose what the database knows, and return how many files a run recognises as ours."""
    with psycopg.connect(press.database.owner) as connection:
        connection.execute("DELETE FROM publishing.chunk")
        connection.execute("DELETE FROM publishing.key")
        connection.execute("UPDATE publishing.progress SET newest_index = 0")
    return (await publisher.publish()).adopted


def readable(data: bytes, keys: Sequence[VerificationKey]) -> bool:
    """Tell whether a phone that trusts `keys` takes a file."""
    try:
        return bool(read_export(data, keys))
    except SignatureMismatchError:
        return False
