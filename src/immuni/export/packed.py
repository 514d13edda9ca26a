"""Many diagnosis keys in little memory."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

from immuni.keys import (
    KEY_LENGTH,
    DiagnosisKey,
    ENIntervalNumber,
    ReportType,
    TemporaryExposureKey,
)

# Outside the 32 bits of the file's field, so that no file can mean it.
_UNKNOWN_ONSET: Final = 1 << 32


class PackedKeys(Sequence[DiagnosisKey]):
    """An immutable sequence of diagnosis keys, kept in columns and built one by one when asked for.

    Complexity:
        31 bytes a key, where a tuple of values takes some 200: a chunk of 750 000 keys is read in
        well under 200 MB. Access by index takes constant time.

    Privacy:
        The representation shows how many keys there are, never a key.
    """

    __slots__ = ("_key_data", "_levels", "_onsets", "_periods", "_starts", "_types")

    def __init__(self, keys: Iterable[DiagnosisKey] = ()) -> None:
        """Take over `keys`, in their order."""
        self._key_data = bytearray()
        self._starts = array("I")
        self._periods = bytearray()
        self._levels = bytearray()
        self._types = bytearray()
        self._onsets = array("q")
        for key in keys:
            self._append(key)

    def _append(self, key: DiagnosisKey) -> None:
        onset = key.days_since_onset_of_symptoms
        self._key_data += key.tek.key_data
        self._starts.append(key.tek.rolling_start_number)
        self._periods.append(key.tek.rolling_period)
        self._levels.append(key.transmission_risk_level)
        self._types.append(key.report_type)
        self._onsets.append(_UNKNOWN_ONSET if onset is None else onset)

    def __len__(self) -> int:
        return len(self._periods)

    @overload
    def __getitem__(self, index: int) -> DiagnosisKey: ...
    @overload
    def __getitem__(self, index: slice) -> "PackedKeys": ...
    def __getitem__(self, index: int | slice) -> "DiagnosisKey | PackedKeys":
        if isinstance(index, slice):
            return PackedKeys(self._at(place) for place in range(*index.indices(len(self))))
        return self._at(range(len(self))[index])

    def __iter__(self) -> Iterator[DiagnosisKey]:
        return map(self._at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(map(DiagnosisKey.__eq__, self, other))

    def __hash__(self) -> int:
        # Equal to a tuple of the same keys, so of the same hash.
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<PackedKeys: {len(self)} keys>"

    def _at(self, place: int) -> DiagnosisKey:
        onset = self._onsets[place]
        return DiagnosisKey(
            TemporaryExposureKey(
                bytes(self._key_data[place * KEY_LENGTH : (place + 1) * KEY_LENGTH]),
                ENIntervalNumber(self._starts[place]),
                self._periods[place],
            ),
            self._levels[place],
            ReportType(self._types[place]),
            None if onset == _UNKNOWN_ONSET else onset,
        )
