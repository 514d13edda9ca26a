"""Handing out the phone's own keys, with the user's consent given now or before."""

from datetime import datetime, timedelta
from typing import Final

from immuni.framework.key_life import keys_to_hand_out
from immuni.framework.refusals import ConsentRefusedError
from immuni.framework.store import Store
from immuni.framework.store.encrypted_database import CorruptStoreError
from immuni.keys import TemporaryExposureKey, interval_at

PERMISSION_LIFETIME: Final = timedelta(days=5)
"""For so long a permission given before holds, as on the platforms."""

_FACT: Final = "keys_permitted_until"


class Sharing:
    """The way by which keys leave the phone."""

    def __init__(self, store: Store) -> None:
        """Share the keys of `store`."""
        self._store = store

    def release(self, now: datetime) -> list[TemporaryExposureKey]:
        """Return the keys of the last 14 days, oldest first; none of them is broadcast again.

        Raises:
            StoreError: The keys could not be read, or not be marked; none was handed out.
        """
        keys = keys_to_hand_out(self._store.keys.all(), interval_at(now))
        self._store.keys.release(keys)
        return [key.tek for key in keys]

    def permit(self, now: datetime) -> datetime:
        """Note that the keys may be handed out once; return until when.

        Raises:
            StoreError: It could not be noted.
        """
        until = now + PERMISSION_LIFETIME
        self._store.keep_fact(_FACT, until.isoformat())
        return until

    def permitted_until(self, now: datetime) -> datetime | None:
        """Return until when the keys may be handed out; None where they may not.

        Raises:
            CorruptStoreError: What the store holds in its place is no instant.
        """
        fact = self._store.fact(_FACT)
        if not fact:
            return None
        try:
            until = datetime.fromisoformat(fact)
        except ValueError as error:
            raise CorruptStoreError("the permission cannot be read") from error
        # One that reaches further than any can was given by a clock that ran ahead.
        return until if now <= until <= now + PERMISSION_LIFETIME else None

    def withdraw(self) -> None:
        """Forget the permission.

        Raises:
            StoreError: It still holds.
        """
        self._store.keep_fact(_FACT, "")

    def release_as_permitted(self, now: datetime) -> list[TemporaryExposureKey]:
        """Return the keys with the permission given before, which is used up.

        Raises:
            ConsentRefusedError: There is no such permission, or its time is over.
            StoreError: No key was handed out.
        """
        if self.permitted_until(now) is None:
            raise ConsentRefusedError("the user has not permitted it, or too long ago")
        # Used up first: a crash in between asks the user once more, and hands out nothing twice.
        self.withdraw()
        return self.release(now)
