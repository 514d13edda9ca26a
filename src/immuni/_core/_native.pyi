from array import array
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from typing_extensions import Buffer

__all__ = [
    "Index",
    "MalformedMessageError",
    "decrypt_rpi",
    "derive_aemk",
    "derive_preliminary_rpis",
    "derive_rpik",
    "derive_rpis",
    "encrypt_metadata",
    "parse_export",
    "serialise_keys",
]

# Key data, rolling starts (32 bits each), rolling periods, transmission risk levels, report types
# (8 bits each), days since onset (64 bits each, 2 ** 31 where unknown).
_KeyColumns: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes, bytes]

# Type checkers learn only for Python 3.12 that a NumPy array shows its memory.
class _Array(Protocol):
    @property
    def __array_interface__(self) -> dict[str, Any]: ...

_Column: TypeAlias = Buffer | _Array

class MalformedMessageError(ValueError): ...

_Progress: TypeAlias = Callable[[int], object]
# Index of the key, index of the sighting (64 bits each), interval (32 bits).
_Found: TypeAlias = tuple[bytes, bytes, bytes]

class Index:
    def __init__(self, rpis: _Column, intervals: _Column, tolerance: int) -> None: ...
    def append(self, rpis: _Column, intervals: _Column) -> None: ...
    def forget_before(self, interval: int) -> None: ...
    def __len__(self) -> int: ...
    def size(self) -> int: ...
    def match_keys(
        self,
        key_data: _Column,
        rolling_starts: _Column,
        rolling_periods: _Column,
        threads: int = 1,
        progress: _Progress | None = None,
    ) -> _Found: ...
    def matched_keys(
        self,
        key_data: _Column,
        rolling_starts: _Column,
        rolling_periods: _Column,
        threads: int = 1,
        progress: _Progress | None = None,
    ) -> bytes: ...
    def match_preliminary_keys(
        self,
        key_data: _Column,
        day_numbers: _Column,
        threads: int = 1,
        progress: _Progress | None = None,
    ) -> _Found: ...

def derive_rpik(tek: bytes) -> bytes: ...
def derive_aemk(tek: bytes) -> bytes: ...
def derive_rpis(rpik: bytes, first_interval: int, count: int) -> bytes: ...
def encrypt_metadata(aemk: bytes, rpi: bytes, metadata: bytes) -> bytes: ...
def decrypt_rpi(rpik: bytes, rpi: bytes) -> int | None: ...
def derive_preliminary_rpis(daily_tracing_key: bytes, first: int, count: int) -> bytes: ...
def parse_export(export_bin: bytes, start: int) -> tuple[bytes, _KeyColumns, _KeyColumns]: ...
def serialise_keys(
    key_data: bytes | bytearray,
    rolling_starts: array[int],
    rolling_periods: bytes | bytearray,
    transmission_risk_levels: bytes | bytearray,
    report_types: bytes | bytearray,
    onsets: array[int],
    revised: bool,
) -> bytes: ...
