"""The territory that a deployment covers: its regions, their provinces, and abroad."""

from collections.abc import Iterator
from functools import cache, cached_property
from importlib.resources import files
from typing import NewType

import msgspec

from immuni.errors import ImmuniError

ProvinceCode = NewType("ProvinceCode", str)
"""Two capital letters that stand for a Province of Domicile."""


class UnknownProvinceError(ImmuniError, ValueError):
    """A code is no province of the territory."""


class Province(msgspec.Struct, frozen=True):
    """A province: its code and its own name."""

    code: ProvinceCode
    name: str


class Region(msgspec.Struct, frozen=True):
    """A region and the provinces that it consists of."""

    region: str
    provinces: tuple[Province, ...]


class Territory(msgspec.Struct, frozen=True, dict=True):
    """Everything a Province of Domicile can be.

    Attributes:
        regions: In the order in which people look for them.
        abroad: The code of those who live elsewhere.
        description: Words about the list.
    """

    regions: tuple[Region, ...]
    abroad: ProvinceCode
    description: str = ""

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every code, abroad included."""
        return frozenset({self.abroad, *(each.code for each in self.provinces())})

    def provinces(self) -> Iterator[Province]:
        """Yield the provinces, region by region."""
        for region in self.regions:
            yield from region.provinces

    def parse(self, text: str) -> ProvinceCode:
        """Return `text` as a code of this territory.

        Raises:
            UnknownProvinceError: It is none.
        """
        if text not in self.codes:
            raise UnknownProvinceError("the code is no province of this territory")
        return ProvinceCode(text)

    def region_of(self, code: ProvinceCode) -> str | None:
        """Return the name of the region that holds `code`, None for abroad."""
        return self._regions_by_code.get(code)

    @cached_property
    def _regions_by_code(self) -> dict[ProvinceCode, str]:
        return {each.code: region.region for region in self.regions for each in region.provinces}


@cache
def italy() -> Territory:
    """Return the territory that is packaged: Italy's 107 provinces, and abroad."""
    return msgspec.json.decode(
        files("immuni.api").joinpath("provinces.json").read_bytes(), type=Territory
    )
