"""What the Exposure Reporting Service answers.

Source:
    HTTP API, "Exposure Reporting".
"""

from typing import Annotated

from msgspec import Meta

from immuni.api.messages import Answer

ChunkNumber = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class ChunkIndex(Answer, frozen=True, kw_only=True):
    """Body of ``GET /v1/keys/index``: the chunks that can be downloaded, both ends included."""

    oldest: ChunkNumber
    newest: ChunkNumber

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        if self.oldest > self.newest:
            raise ValueError("wrong order")
