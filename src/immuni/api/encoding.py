"""Bytes that travel as base64, read strictly."""

from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from typing import Any, ClassVar, Final, Self

from immuni.api.limits import MAX_DEVICE_TOKEN_LENGTH, SALT_LENGTH
from immuni.keys import KEY_LENGTH

_DIGIT: Final = "[A-Za-z0-9+/]"
_TWO_SPARE: Final = "[AEIMQUYcgkosw048]"
_FOUR_SPARE: Final = "[AQgw]"
"""Last digits, whose spare bits are zero."""


class Base64Bytes(bytes):
    """Bytes whose JSON form is padded, canonical base64 without white space (RFC 4648, 4).

    Subclasses set the limits. The value does not show itself: what is sent this way is a secret.
    """

    MIN_LENGTH: ClassVar[int]
    MAX_LENGTH: ClassVar[int]
    SCHEMA: ClassVar[dict[str, Any]]

    @classmethod
    def parse(cls, text: object) -> Self:
        """Decode `text`.

        Raises:
            ValueError: It is no string, not strict base64, or its length is out of range.
        """
        if not isinstance(text, str):
            raise ValueError("wrong type")  # noqa: TRY004 - msgspec turns this one into its own
        try:
            data = a2b_base64(text, strict_mode=True)
        except (BinasciiError, ValueError) as error:
            raise ValueError("not strict base64") from error
        # The last digit's spare bits must be zero: two spellings of one key would be two keys.
        if b2a_base64(data, newline=False) != text.encode("ascii"):
            raise ValueError("not strict base64")
        if not cls.MIN_LENGTH <= len(data) <= cls.MAX_LENGTH:
            raise ValueError("wrong length")
        return cls(data)

    def base64(self) -> str:
        """Return the JSON form."""
        return b2a_base64(self, newline=False).decode("ascii")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    __str__ = __repr__


class KeyData(Base64Bytes):
    """The 16 bytes of a TEK."""

    MIN_LENGTH = MAX_LENGTH = KEY_LENGTH
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": rf"^{_DIGIT}{{21}}{_FOUR_SPARE}==$(?!\n)",
        "description": "base64 of 16 bytes",
    }


class Salt(Base64Bytes):
    """The 16 random bytes that make an attestation's nonce unique."""

    MIN_LENGTH = MAX_LENGTH = SALT_LENGTH
    SCHEMA: ClassVar[dict[str, Any]] = {**KeyData.SCHEMA}


class DeviceToken(Base64Bytes):
    """Apple's DeviceCheck token; its content means nothing to us."""

    MIN_LENGTH = 1
    MAX_LENGTH = MAX_DEVICE_TOKEN_LENGTH // 4 * 3
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": rf"^({_DIGIT}{{4}})*"
        rf"({_DIGIT}{{4}}|{_DIGIT}{{2}}{_TWO_SPARE}=|{_DIGIT}{_FOUR_SPARE}==)$(?!\n)",
        "minLength": 4,
        "maxLength": MAX_DEVICE_TOKEN_LENGTH,
        "description": "base64",
    }
