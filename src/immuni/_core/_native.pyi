from array import array
from typing import TypeAlias

__all__ = [
    "MalformedMessageError",
    "decrypt_rpi",
    "derive_aemk",
    "derive_preliminary_rpis",
    "derive_rpik",
    "derive_rpis",
    "encrypt_metadata",
    "match_keys",
    "match_preliminary_keys",
    "matched_keys",
    "parse_export",
    "serialise_keys",
]

# Key data, rolling starts (32 bits each), rolling periods, transmission risk levels, report types
# (8 bits each), days since onset (64 bits each, 2 ** 31 where unknown).
_KeyColumns: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes, bytes]

class MalformedMessageError(ValueError): ...

def derive_rpik(tek: bytes) -> bytes: ...
def derive_aemk(tek: bytes) -> bytes: ...
def derive_rpis(rpik: bytes, first_interval: int, count: int) -> bytes: ...
def encrypt_metadata(aemk: bytes, rpi: bytes, metadata: bytes) -> bytes: ...
def decrypt_rpi(rpik: bytes, rpi: bytes) -> int | None: ...
def derive_preliminary_rpis(daily_tracing_key: bytes, first: int, count: int) -> bytes: ...
def match_keys(
    key_data: bytes | bytearray,
    rolling_starts: array[int],
    rolling_periods: bytes | bytearray,
    rpis: bytes | bytearray,
    intervals: array[int],
    tolerance: int,
) -> list[tuple[int, int, int]]: ...
def matched_keys(
    key_data: bytes | bytearray,
    rolling_starts: array[int],
    rolling_periods: bytes | bytearray,
    rpis: bytes | bytearray,
    intervals: array[int],
    tolerance: int,
) -> list[int]: ...
def match_preliminary_keys(
    key_data: bytes | bytearray,
    day_numbers: array[int],
    rpis: bytes | bytearray,
    intervals: array[int],
    tolerance: int,
) -> list[tuple[int, int, int]]: ...
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
