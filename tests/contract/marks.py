"""Secrets that can be recognised wherever they turn up, and in whatever form."""

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

_EDGE = 2
"""Digits of base64 at either end that also depend on the bytes beside a secret."""


class Marks:
    """What was sent and must show nowhere."""

    def __init__(self) -> None:
        self._forms: dict[bytes, str] = {}
        self._patterns: list[tuple[re.Pattern[bytes], str]] = []

    def add(self, name: str, secret: bytes | str) -> None:
        """Look for a secret of eight bytes or more: as it is, in hexadecimal, base64, percent."""
        data = secret.encode() if isinstance(secret, str) else secret
        for form in _forms(data):
            self._forms[form.lower()] = name

    def add_word(self, name: str, word: str) -> None:
        """Look for a short word, or an address, where it stands alone."""
        alone = rb"(?<![\w.:])" + re.escape(word.encode()) + rb"(?!\w)"
        self._patterns.append((re.compile(alone), name))

    def found_in(self, text: bytes) -> set[str]:
        """Return the names of what is in `text`."""
        lower = text.lower()
        whole = {name for form, name in self._forms.items() if form in lower}
        return whole | {name for pattern, name in self._patterns if pattern.search(text)}


def _forms(data: bytes) -> Iterator[bytes]:
    yield data
    yield data.hex().encode()
    yield repr(data)[2:-1].encode()
    yield "".join(f"%{byte:02x}" for byte in data).encode()
    yield quote(data).encode()
    yield from _base64_forms(data)


def _base64_forms(data: bytes) -> Iterable[bytes]:
    """Return what is left of the secret in base64, wherever in the encoded bytes it begins."""
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(offset) + data)[_EDGE * 2 : -_EDGE * 2]
