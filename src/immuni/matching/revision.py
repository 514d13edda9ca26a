"""Keys that are published again: which of their versions is in force."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from immuni.keys import KEY_LENGTH, DiagnosisKey, PackedKeys, ReportType

_ASCENDING: Final = (
    ReportType.RECURSIVE,
    ReportType.UNKNOWN,
    ReportType.SELF_REPORT,
    ReportType.CONFIRMED_CLINICAL_DIAGNOSIS,
    ReportType.CONFIRMED_TEST,
    ReportType.REVOKED,
)
_RANKS: Final = {report_type: rank for rank, report_type in enumerate(_ASCENDING)}
_IDLE: Final = (ReportType.REVOKED, ReportType.RECURSIVE)


def supersedes(new: ReportType, former: ReportType) -> bool:
    """Tell whether a key published again as `new` takes the place of the one published as `former`.

    Self-report gives way to a clinical diagnosis, that to a confirmed test, each of them and an
    unknown type to a revocation, which is final. RECURSIVE takes nobody's place.

    Source:
        Exposure Key export format, "revised_keys" and "ReportType".
    """
    return _RANKS[new] > _RANKS[former]


def keys_in_force(
    keys: Sequence[DiagnosisKey], among: Iterable[int] | None = None
) -> frozenset[int]:
    """Return the places of the keys that count.

    Each key counts once, in its best version, of several as good in its first; revoked and
    recursive ones not at all.

    Args:
        keys: In the order of publication, revised keys last.
        among: The places to which the answer is limited; all by default.

    Complexity:
        One pass over `keys`, and memory for the keys that stand at `among`.
    """
    packed = keys if isinstance(keys, PackedKeys) else PackedKeys(keys)
    places = range(len(packed)) if among is None else among
    best = dict.fromkeys(key_data_at(packed, places), -1)
    for place, key_data in enumerate(key_data_at(packed, range(len(packed)))):
        former = best.get(key_data)
        if former is not None and (former < 0 or _is_better(packed, place, former)):
            best[key_data] = place
    return frozenset(place for place in best.values() if packed.report_types[place] not in _IDLE)


def key_data_at(keys: PackedKeys, places: Iterable[int]) -> Iterator[bytes]:
    """Return the key data of the keys at `places`, one by one."""
    return (keys.key_data[place * KEY_LENGTH : (place + 1) * KEY_LENGTH] for place in places)


def _is_better(keys: PackedKeys, new: int, former: int) -> bool:
    return supersedes(ReportType(keys.report_types[new]), ReportType(keys.report_types[former]))
