"""What the pages of one installation are opened with. Pure."""

import base64
import hmac
from dataclasses import dataclass, field
from typing import Final, Self

from immuni.entropy import Entropy
from immuni.errors import ImmuniError

SECRET_LENGTH: Final = 32
_LABEL_BYTES: Final = 10


class InvalidSecretError(ImmuniError, ValueError):
    """It is no secret of an installation."""


@dataclass(frozen=True, slots=True)
class InstallationSecret:
    """The secret of one installation; whoever has it may look at the pages.

    It travels in the fragment of a link, which browsers keep to themselves, and is exchanged for a
    cookie there. The cookie is made of it, so that it holds as long as the secret does, and tells
    nothing of it.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Check the length.

        Raises:
            InvalidSecretError: `key` does not have 32 bytes.
        """
        if len(self.key) != SECRET_LENGTH:
            raise InvalidSecretError(f"a secret has {SECRET_LENGTH} bytes, got {len(self.key)}")

    @classmethod
    def draw(cls, entropy: Entropy) -> Self:
        """Make a new one."""
        return cls(entropy.token(SECRET_LENGTH))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `text` wrote.

        Raises:
            InvalidSecretError: It is none.
        """
        try:
            return cls(base64.urlsafe_b64decode(f"{text.strip()}="))
        except ValueError as error:
            raise InvalidSecretError("this is not the text of a secret") from error

    @property
    def text(self) -> str:
        """The secret in 43 letters that a link may hold."""
        return base64.urlsafe_b64encode(self.key).decode().rstrip("=")

    @property
    def cookie(self) -> str:
        """What a browser that was let in shows from then on."""
        return self._derived(b"cookie").hex()

    @property
    def label(self) -> str:
        """A name of 16 letters for the pages' host that nobody can guess.

        Browsers send a cookie to every port of a name. Another user's program can listen on
        another port of this machine, but does not know the name.
        """
        return base64.b32encode(self._derived(b"label")[:_LABEL_BYTES]).decode().lower()

    def is_told_by(self, text: str) -> bool:
        """Tell, in constant time, whether `text` is this secret."""
        return _are_equal(text.strip(), self.text)

    def is_shown_by(self, cookie: str) -> bool:
        """Tell, in constant time, whether `cookie` was given to a browser that had the secret."""
        return _are_equal(cookie, self.cookie)

    def _derived(self, use: bytes) -> bytes:
        return hmac.digest(self.key, use, "sha256")


def _are_equal(told: str, expected: str) -> bool:
    return hmac.compare_digest(told.encode(errors="replace"), expected.encode())
