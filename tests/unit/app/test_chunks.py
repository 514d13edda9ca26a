from hypothesis import given
from hypothesis import strategies as st

from immuni.api import ChunkIndex
from immuni.app.chunks import due_chunks

numbers = st.integers(1, 10_000)
indexes = st.tuples(numbers, numbers).map(
    lambda ends: ChunkIndex(oldest=min(ends), newest=max(ends))
)


@given(indexes)
def test_a_new_phone_fetches_everything(index: ChunkIndex) -> None:
    assert list(due_chunks(index, None)) == list(range(index.oldest, index.newest + 1))


@given(indexes, numbers)
def test_no_chunk_after_the_last_processed_one_is_skipped(index: ChunkIndex, last: int) -> None:
    due = set(due_chunks(index, last))

    unseen = {number for number in range(index.oldest, index.newest + 1) if number > last}
    assert unseen <= due


@given(indexes)
def test_nothing_is_due_once_the_newest_was_processed(index: ChunkIndex) -> None:
    assert list(due_chunks(index, index.newest)) == []


def test_a_phone_that_slept_longer_than_chunks_are_kept_goes_on_from_the_oldest() -> None:
    assert list(due_chunks(ChunkIndex(oldest=50, newest=52), 10)) == [50, 51, 52]


def test_a_server_that_starts_anew_is_followed_from_its_oldest_chunk() -> None:
    assert list(due_chunks(ChunkIndex(oldest=1, newest=2), 10)) == [1, 2]
