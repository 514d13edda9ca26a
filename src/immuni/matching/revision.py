"""Keys that are published again: which of their versions is in force."""

from collections.abc import Iterable
from typing import Final

from immuni.keys import DiagnosisKey, ReportType

_STRENGTH: Final = {
    ReportType.UNKNOWN: 0,
    ReportType.SELF_REPORT: 1,
    ReportType.CONFIRMED_CLINICAL_DIAGNOSIS: 2,
    ReportType.CONFIRMED_TEST: 3,
    ReportType.REVOKED: 4,
}


def supersedes(new: ReportType, former: ReportType) -> bool:
    """Tell whether a key published again as `new` takes the place of the one published as `former`.

    Self-report gives way to a clinical diagnosis, that to a confirmed test, each of them and an
    unknown type to a revocation, which is final. RECURSIVE takes nobody's place.

    Source:
        Exposure Key export format, "revised_keys" and "ReportType".
    """
    if ReportType.RECURSIVE in (new, former):
        return former is ReportType.RECURSIVE and new is not ReportType.RECURSIVE
    return _STRENGTH[new] > _STRENGTH[former]


def keys_in_force(keys: Iterable[DiagnosisKey]) -> dict[int, DiagnosisKey]:
    """Return the keys to match, by their place in `keys`.

    Each key counts once, in its best version; revoked and recursive ones not at all.

    Args:
        keys: In the order of publication, revised keys last.
    """
    best: dict[bytes, tuple[int, DiagnosisKey]] = {}
    for place, key in enumerate(keys):
        former = best.get(key.tek.key_data)
        if former is None or supersedes(key.report_type, former[1].report_type):
            best[key.tek.key_data] = (place, key)
    idle = (ReportType.REVOKED, ReportType.RECURSIVE)
    return {place: key for place, key in best.values() if key.report_type not in idle}
