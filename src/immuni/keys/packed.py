"""Many diagnosis keys in little memory."""

from array import array
from collections.abc import Iterable, Sequence
from operator import add
from typing import Final, Self

from immuni.keys.columns import Columns
from immuni.keys.intervals import MAX_INTERVAL, TEK_ROLLING_PERIOD, ENIntervalNumber
from immuni.keys.tek import (
    DAYS_SINCE_ONSET,
    KEY_LENGTH,
    MAX_TRANSMISSION_RISK_LEVEL,
    DiagnosisKey,
    InvalidKeyError,
    ReportType,
    TemporaryExposureKey,
)

UNKNOWN_ONSET: Final = DAYS_SINCE_ONSET.stop
"""Stands in a column for an unknown onset: outside the 32 bits of a file's field."""


class PackedKeys(Columns[DiagnosisKey]):
    """A sequence of diagnosis keys, kept in columns and built one by one when asked for.

    Treat the columns as constant: what was packed is matched as it stands.

    Attributes:
        key_data: 16 bytes each.
        rolling_starts: First interval of each, 32 bits unsigned.
        rolling_periods: 1..144, one byte each.
        transmission_risk_levels: 0..8, one byte each.
        report_types: Values of `ReportType`, one byte each.
        onsets: Days since onset of symptoms, or `UNKNOWN_ONSET`; 64 bits signed.

    Complexity:
        31 bytes a key, where a tuple of values takes some 200: a chunk of 750 000 keys is read in
        well under 200 MB. Access by index takes constant time.

    Privacy:
        The representation shows how many keys there are, never a key.
    """

    __slots__ = (
        "key_data",
        "onsets",
        "report_types",
        "rolling_periods",
        "rolling_starts",
        "transmission_risk_levels",
    )

    def __init__(self, keys: Iterable[DiagnosisKey] = ()) -> None:
        """Take over `keys`, in their order."""
        key_data, numbers = bytearray(), bytearray()
        self.rolling_starts = array("I")
        self.onsets = array("q")
        for key in keys:
            onset = key.days_since_onset_of_symptoms
            key_data += key.tek.key_data
            numbers += bytes((key.tek.rolling_period, key.transmission_risk_level, key.report_type))
            self.rolling_starts.append(key.tek.rolling_start_number)
            self.onsets.append(UNKNOWN_ONSET if onset is None else onset)
        self.key_data = bytes(key_data)
        self.rolling_periods = bytes(numbers[0::3])
        self.transmission_risk_levels = bytes(numbers[1::3])
        self.report_types = bytes(numbers[2::3])

    @classmethod
    def from_columns(
        cls,
        *,
        key_data: bytes,
        rolling_starts: "array[int]",
        rolling_periods: bytes,
        transmission_risk_levels: bytes,
        report_types: bytes,
        onsets: "array[int]",
    ) -> Self:
        """Take over columns as they are.

        Raises:
            InvalidKeyError: They are not of one length, or a number breaks a limit.
        """
        packed = cls()
        packed.key_data, packed.rolling_starts = key_data, rolling_starts
        packed.rolling_periods = rolling_periods
        packed.transmission_risk_levels = transmission_risk_levels
        packed.report_types, packed.onsets = report_types, onsets
        packed._check()
        return packed

    @classmethod
    def joined(cls, parts: Iterable[Sequence[DiagnosisKey]]) -> Self:
        """Return the keys of all `parts`, one part after the other."""
        packed = [part if isinstance(part, PackedKeys) else PackedKeys(part) for part in parts]
        joined = cls()
        joined.key_data = b"".join(part.key_data for part in packed)
        joined.rolling_periods = b"".join(part.rolling_periods for part in packed)
        joined.report_types = b"".join(part.report_types for part in packed)
        joined.transmission_risk_levels = b"".join(part.transmission_risk_levels for part in packed)
        for part in packed:
            joined.rolling_starts.extend(part.rolling_starts)
            joined.onsets.extend(part.onsets)
        return joined

    def __len__(self) -> int:
        return len(self.rolling_periods)

    def _at(self, place: int) -> DiagnosisKey:
        onset = self.onsets[place]
        return DiagnosisKey(
            TemporaryExposureKey(
                self.key_data[place * KEY_LENGTH : (place + 1) * KEY_LENGTH],
                ENIntervalNumber(self.rolling_starts[place]),
                self.rolling_periods[place],
            ),
            self.transmission_risk_levels[place],
            ReportType(self.report_types[place]),
            None if onset == UNKNOWN_ONSET else onset,
        )

    def _check(self) -> None:
        """Hold whole columns against the limits that single keys check one by one."""
        lengths = {
            len(self.rolling_starts),
            len(self.rolling_periods),
            len(self.transmission_risk_levels),
            len(self.report_types),
            len(self.onsets),
        }
        if lengths != {len(self)} or len(self.key_data) != KEY_LENGTH * len(self):
            raise InvalidKeyError("the columns of keys are not of one length")
        if not all(1 <= period <= TEK_ROLLING_PERIOD for period in set(self.rolling_periods)):
            raise InvalidKeyError("every rolling_period must be in 1..144")
        if max(map(add, self.rolling_starts, self.rolling_periods), default=0) > MAX_INTERVAL:
            raise InvalidKeyError("every rolling period must end within 32 bits")
        if max(self.transmission_risk_levels, default=0) > MAX_TRANSMISSION_RISK_LEVEL:
            raise InvalidKeyError("every transmission_risk_level must be in 0..8")
        if max(self.report_types, default=0) > max(ReportType):
            raise InvalidKeyError("every report type must be one of the format")
        if not all(
            onset in DAYS_SINCE_ONSET or onset == UNKNOWN_ONSET for onset in _span(self.onsets)
        ):
            raise InvalidKeyError("every number of days since onset must fit 32 bits")


def _span(numbers: "array[int]") -> set[int]:
    """Return the least and the greatest of `numbers`, if there are any."""
    return {min(numbers), max(numbers)} if numbers else set()
