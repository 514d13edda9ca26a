from collections.abc import Sequence

__all__ = [
    "decrypt_rpi",
    "derive_aemk",
    "derive_rpik",
    "derive_rpis",
    "encrypt_metadata",
    "match_keys",
]

def derive_rpik(tek: bytes) -> bytes: ...
def derive_aemk(tek: bytes) -> bytes: ...
def derive_rpis(rpik: bytes, first_interval: int, count: int) -> bytes: ...
def encrypt_metadata(aemk: bytes, rpi: bytes, metadata: bytes) -> bytes: ...
def decrypt_rpi(rpik: bytes, rpi: bytes) -> int | None: ...
def match_keys(
    key_data: bytes,
    rolling_starts: Sequence[int],
    rolling_periods: Sequence[int],
    rpis: bytes,
    intervals: Sequence[int],
    tolerance: int,
) -> list[tuple[int, int, int]]: ...
