"""What the risk model needs to know of a contact.

Matching and risk are siblings that do not know each other: these are the shapes on which they
agree, so that what the one returns can be handed to the other as it is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from immuni.keys import ENIntervalNumber


class Sample(Protocol):
    """How near another phone was at one moment."""

    @property
    def at(self) -> datetime:
        """When it was heard, aware."""
        ...

    @property
    def attenuation_db(self) -> int:
        """Loss of signal, at least 0."""
        ...

    @property
    def rssi_dbm(self) -> int:
        """Received strength."""
        ...

    @property
    def interval(self) -> ENIntervalNumber:
        """The interval of its identifier: samples of one interval heard the same one."""
        ...


class Contact(Protocol):
    """What was heard of one published key's phone."""

    @property
    def transmission_risk_level(self) -> int:
        """Level of infectiousness on the key's day, 0..8."""
        ...

    @property
    def samples(self) -> Sequence[Sample]:
        """In any order."""
        ...
