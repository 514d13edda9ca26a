"""Provinces, in their regions, in the country: what figures by place are told apart by."""

from collections.abc import Collection, Iterable
from typing import Final

from immuni.api import ProvinceCode, Territory
from immuni.backend.analytics.insights.tables import Dimension

ALL: Final = "all"
"""The node above all others of a breakdown."""
_REST: Final = "rest"


def place_dimension(territory: Territory, seen: Iterable[str]) -> Dimension:
    """Return the territory; a code that is not of it, left from an earlier one, has no region."""
    codes = sorted(territory.codes | set(seen))
    paths = {}
    for code in codes:
        region = territory.region_of(ProvinceCode(code)) if code in territory.codes else None
        paths[code] = (code, ALL) if region is None else (code, region, ALL)
    return Dimension(paths)


def merged(places: Dimension, shown: Collection[str]) -> tuple[Dimension, dict[str, str]]:
    """Return places without those that are not shown: these are put together, region by region.

    Returns:
        The dimension, and for each former leaf the one in which it is now.
    """
    paths: dict[str, tuple[str, ...]] = {}
    home: dict[str, str] = {}
    for leaf, path in places.paths.items():
        above = tuple(node for node in path[1:] if node in shown)
        home[leaf] = leaf if leaf in shown else f"{_REST} of {above[0]}"
        paths[home[leaf]] = (home[leaf], *above)
    return Dimension(paths), home
