"""The name of a chunk file: its index and its digest.

A reader can tell a damaged file from the right one, and two writers can never put different bytes
under one name.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from immuni.errors import ImmuniError

_NAME: Final = re.compile(r"chunk-([0-9]{19})-([0-9a-f]{64})\.zip")
_MAX_INDEX: Final = 2**63 - 1


class ChunkStoreError(ImmuniError, OSError):
    """The chunk store does not answer as it should; try again later."""


class ChunkMissingError(ChunkStoreError):
    """The store holds no file of that name."""


class ChunkDamagedError(ChunkStoreError):
    """A file's bytes are not those that its name promises; they must not be served."""


@dataclass(frozen=True, slots=True, order=True)
class ChunkName:
    """The name of one chunk file: which chunk, and which bytes.

    Attributes:
        index: Number of the chunk, from 1.
        digest: SHA-256 of the file, 32 bytes.
    """

    index: int
    digest: bytes

    def __post_init__(self) -> None:
        """Check the limits."""
        if not 1 <= self.index <= _MAX_INDEX:
            raise ValueError(f"a chunk's index is in 1..{_MAX_INDEX}, got {self.index}")
        if len(self.digest) != hashlib.sha256().digest_size:
            raise ValueError(f"a chunk's digest has 32 bytes, got {len(self.digest)}")

    @classmethod
    def of(cls, index: int, data: bytes) -> Self:
        """Return the name of the file with the content `data`."""
        return cls(index, hashlib.sha256(data).digest())

    @classmethod
    def parse(cls, file_name: str) -> Self | None:
        """Return the name that `file_name` spells, None where it spells none."""
        match = _NAME.fullmatch(file_name)
        if match is None or not 1 <= int(match[1]) <= _MAX_INDEX:
            return None
        return cls(int(match[1]), bytes.fromhex(match[2]))

    @property
    def file_name(self) -> str:
        """Name of the file; sorts by index."""
        return f"chunk-{self.index:019d}-{self.digest.hex()}.zip"

    def check(self, data: bytes) -> None:
        """Refuse bytes that are not this file's.

        Raises:
            ChunkDamagedError: They are not.
        """
        if hashlib.sha256(data).digest() != self.digest:
            raise ChunkDamagedError(f"chunk {self.index} does not have the digest of its name")
