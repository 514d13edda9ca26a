"""Passwords: kept as Argon2id, compared so that nobody learns who has an account."""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.portal.accounts.guessing import Weakness, weakness_of

MIN_PASSWORD_LENGTH: Final = 12
MAX_PASSWORD_LENGTH: Final = 128

_SALT_BYTES: Final = 16
_AT_ONCE: Final = 2
_WAITING_AT_MOST: Final = 32

# OWASP's second choice for Argon2id: 19 MiB and two passes take some 20 ms of one core.
_HASHER: Final = PasswordHasher(
    time_cost=2, memory_cost=19 * 1024, parallelism=1, salt_len=_SALT_BYTES, type=Type.ID
)


class WeakPasswordError(ImmuniError, ValueError):
    """A new password is too short, too long or too easily guessed; nothing was changed.

    Attributes:
        weakness: Why it was refused.
    """

    def __init__(self, weakness: Weakness, message: str) -> None:
        """Say why."""
        super().__init__(message)
        self.weakness = weakness


class PasswordsBusyError(ImmuniError, RuntimeError):
    """Too many sign-ins wait for their turn; this one was not looked at."""


class PasswordKeeper:
    """Hashes and verifies, at most two at once, in threads.

    Each needs 19 MiB and a core for a moment: without the limit a burst of sign-ins would be the
    cheapest way to take the portal down.
    """

    def __init__(self, entropy: Entropy) -> None:
        """Prepare the hash against which unknown users are verified."""
        self._entropy = entropy
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._nobody = _hash(entropy.token(32).hex(), entropy.token(_SALT_BYTES))

    async def hash(self, password: str, *, context: Sequence[str] = ()) -> str:
        """Return the encoded hash of a new password.

        Args:
            password: As it was typed.
            context: Words that somebody who guesses would try first: names, the organisation.

        Raises:
            WeakPasswordError: Its length is not allowed, or it is easily guessed.
            PasswordsBusyError: Too many wait.
        """
        if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
            raise WeakPasswordError(
                Weakness.LENGTH,
                f"a password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters, "
                f"got {len(password)}",
            )
        async with self._turn():
            weakness = await asyncio.to_thread(weakness_of, _canonical(password), context)
            if weakness is not None:
                raise WeakPasswordError(
                    weakness, f"the password is easily guessed ({weakness}): take a few more words"
                )
            return await asyncio.to_thread(_hash, password, self._entropy.token(_SALT_BYTES))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Tell whether `password` is the one that `stored` was made of.

        Args:
            stored: The account's hash, None where there is no such account.
            password: As it was typed.

        Raises:
            PasswordsBusyError: Too many wait.

        Privacy:
            Takes as long for an account that does not exist as for one that does.
        """
        async with self._turn():
            fits = await asyncio.to_thread(_fits, stored or self._nobody, password)
        return fits and stored is not None

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= _WAITING_AT_MOST:
            raise PasswordsBusyError(f"more than {_WAITING_AT_MOST} sign-ins wait")
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()


def _canonical(password: str) -> str:
    # The same key press gives different code points on different systems.
    return unicodedata.normalize("NFKC", password)


def _hash(password: str, salt: bytes) -> str:
    return _HASHER.hash(_canonical(password), salt=salt)


def _fits(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, _canonical(password))
    except VerifyMismatchError:
        return False
