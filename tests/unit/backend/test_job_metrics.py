import psycopg
import pytest

from immuni.backend.chunks import ChunkStoreError
from immuni.backend.chunks.naming import ChunkDamagedError
from immuni.backend.job_metrics import Cause, cause_of
from immuni.backend.publishing.recovery import ForeignChunkError
from immuni.backend.publishing.rules import EmbargoError
from immuni.backend.signing import SigningFailedError
from immuni.database import DatabaseUnreachableError


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (psycopg.errors.AdminShutdown(), Cause.DATABASE),
        (DatabaseUnreachableError(), Cause.DATABASE),
        (ChunkStoreError(), Cause.CHUNK_STORE),
        (ChunkDamagedError(), Cause.CHUNK_STORE),
        (ForeignChunkError(), Cause.FOREIGN_CHUNK),
        (SigningFailedError(), Cause.SIGNER),
        (EmbargoError(), Cause.EMBARGO),
        (KeyError(), Cause.OTHER),
    ],
)
def test_a_failure_is_told_by_what_was_in_the_way(error: Exception, cause: Cause) -> None:
    assert cause_of(error) is cause
