"""Whoever looks for marked secrets finds them in every form."""

import base64

import pytest

from tests.contract.marks import Marks

SECRET = bytes(range(0x5A, 0x6A))
FORMS = {
    "plain": SECRET,
    "hexadecimal": SECRET.hex().encode(),
    "capitals": SECRET.hex().upper().encode(),
    "base64": base64.b64encode(SECRET),
    "base64 amid other bytes": base64.b64encode(b"x" + SECRET + b"yy"),
    "base64 for URLs": base64.urlsafe_b64encode(b"xx" + SECRET),
    "percent": "".join(f"%{byte:02X}" for byte in SECRET).encode(),
    "as Python shows bytes": repr(SECRET).encode(),
    "as PostgreSQL shows bytes": b"\\x" + SECRET.hex().encode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_found_in_every_form(form: bytes) -> None:
    marks = Marks()
    marks.add("key data", SECRET)

    assert marks.found_in(b'{"field": "' + form + b'"}') == {"key data"}
    assert marks.found_in(b'{"field": "something else"}') == set()


def test_a_word_is_found_alone_only() -> None:
    marks = Marks()
    marks.add_word("address", "::1")
    marks.add_word("province", "VV")

    assert marks.found_in(b"from [::1]:4711") == {"address"}
    assert marks.found_in(b"from ::1") == {"address"}
    assert marks.found_in(b'{"province":"VV"}') == {"province"}
    assert marks.found_in(b"at 2001:db8::1 or ::1f, AVV, VVA") == set()
