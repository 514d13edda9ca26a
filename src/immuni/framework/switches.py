"""What must be on before a phone broadcasts and listens."""

from dataclasses import dataclass
from typing import Final

import msgspec

from immuni.framework.status import InactiveReason
from immuni.framework.store import Store
from immuni.framework.store.encrypted_database import CorruptStoreError

_FACT: Final = "switches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The switches of one phone; they survive a restart.

    Attributes:
        started: The App asked for it.
        permitted: The user allowed the App to.
        bluetooth: The device's Bluetooth is on.
    """

    started: bool = False
    permitted: bool = False
    bluetooth: bool = True

    @property
    def all_on(self) -> bool:
        """Whether nothing stands in the way."""
        return self.started and self.permitted and self.bluetooth

    def reasons(self) -> frozenset[InactiveReason]:
        """Return a reason for each switch that is off."""
        off = {
            InactiveReason.NOT_STARTED: not self.started,
            InactiveReason.PERMISSION_MISSING: not self.permitted,
            InactiveReason.BLUETOOTH_OFF: not self.bluetooth,
        }
        return frozenset(reason for reason, is_off in off.items() if is_off)

    def save(self, store: Store) -> None:
        """Keep them for the next start."""
        store.keep_fact(_FACT, msgspec.json.encode(self).decode())


def saved_switches(store: Store) -> Switches:
    """Return the switches as they were left, or as they come from the factory.

    Raises:
        CorruptStoreError: What the store holds in their place is none.
    """
    fact = store.fact(_FACT)
    if fact is None:
        return Switches()
    try:
        return msgspec.json.decode(fact, type=Switches)
    except msgspec.DecodeError as error:
        raise CorruptStoreError("the switches cannot be read") from error
