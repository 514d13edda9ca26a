"""What the risk model needs to know of a contact.

Matching and risk are siblings that do not know each other: these are the shapes on which they
agree, so that what the one returns can be handed to the other as it is.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from immuni.crypto import CalibrationConfidence
from immuni.keys import ENIntervalNumber, ReportType


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

    @property
    def calibration_confidence(self) -> CalibrationConfidence:
        """How well the sender knows its transmit power."""
        ...

    @property
    def since_scan(self) -> timedelta | None:
        """Time from the scan before to the one that heard it; None where unknown."""
        ...


class Contact(Protocol):
    """What was heard of one published key's phone."""

    @property
    def transmission_risk_level(self) -> int:
        """Level of infectiousness on the key's day, 0..8."""
        ...

    @property
    def report_type(self) -> ReportType:
        """How the diagnosis of the key's owner became known."""
        ...

    @property
    def days_since_onset_of_symptoms(self) -> int | None:
        """Key's day minus onset, or None where unknown."""
        ...

    @property
    def samples(self) -> Sequence[Sample]:
        """In any order."""
        ...
