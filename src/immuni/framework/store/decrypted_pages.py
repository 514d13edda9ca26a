"""Decrypting a database page by page, without SQLite: to prove what is in it and what is not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import apsw
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_PAGE_BYTES: Final = 4096
_RESERVED_BYTES: Final = 80
_IV_BYTES: Final = 16
_SALT_BYTES: Final = 16
_LOG_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24


def decrypted_pages(path: Path, key: bytes) -> Iterator[bytes]:
    """Decrypt every page of a file and of its log, also free and outdated ones, one by one.

    Layout:
        A page: ciphertext, 16 bytes initialisation vector, 64 bytes HMAC. On the first page
        the 16 bytes before the ciphertext are the salt. A frame of the log: 24 bytes header,
        whose first four are the number of the page; then the page.
    """
    for number, page in enumerate(_chunks(path, 0, _PAGE_BYTES), start=1):
        yield _decrypted(page, key, number)
    log = path.with_name(path.name + "-wal")
    for frame in _chunks(log, _LOG_HEADER_BYTES, _FRAME_HEADER_BYTES + _PAGE_BYTES):
        yield _decrypted(frame[_FRAME_HEADER_BYTES:], key, int.from_bytes(frame[:4]))


def _decrypted(page: bytes, key: bytes, number: int) -> bytes:
    ciphertext_end = _PAGE_BYTES - _RESERVED_BYTES
    ciphertext = page[_SALT_BYTES if number == 1 else 0 : ciphertext_end]
    iv = page[ciphertext_end : ciphertext_end + _IV_BYTES]
    decryptor = Cipher(algorithms.AES256(key), modes.CBC(iv)).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


def _chunks(path: Path, offset: int, size: int) -> Iterator[bytes]:
    if not path.exists():
        return
    # Through SQLite's own files: whoever else opens and closes the file in this process would
    # release the locks that guard it.
    flags = [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0]
    file = apsw.VFSFile("unix", str(path), flags)
    try:
        for start in range(offset, file.xFileSize() - size + 1, size):
            yield file.xRead(size, start)
    finally:
        file.xClose()
