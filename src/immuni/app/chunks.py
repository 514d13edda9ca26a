"""Which chunks a background session has to fetch. Pure.

Source:
    Mobile Client, "Background session".
"""

from immuni.api import ChunkIndex


def due_chunks(index: ChunkIndex, last_processed: int | None) -> range:
    """Return the numbers of the chunks to fetch: every one that is new, none skipped.

    Where the phone slept for longer than chunks are kept, or where the server starts anew below
    what was processed, it goes on from the oldest one.

    Args:
        index: What the server offers.
        last_processed: Number of the last chunk that a detection covered, None before the first.
    """
    if last_processed is None or index.newest < last_processed:
        return range(index.oldest, index.newest + 1)
    return range(max(last_processed + 1, index.oldest), index.newest + 1)
