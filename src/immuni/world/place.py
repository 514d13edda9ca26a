"""How far apart two phones lie."""

from enum import StrEnum

from immuni.ble import VirtualAir


class Place(StrEnum):
    """Where the second phone is, seen from the first."""

    NEAR = "near"
    FAR = "far"
    TOWN = "town"

    @property
    def metres(self) -> float:
        """The distance; another town is beyond every radio's reach."""
        return {Place.NEAR: 1.0, Place.FAR: 10.0, Place.TOWN: 10_000.0}[self]

    @property
    def words(self) -> str:
        """The distance, as people say it."""
        return {Place.NEAR: "1 m", Place.FAR: "10 m", Place.TOWN: "another town"}[self]


def put(air: VirtualAir, one: str, other: str, place: Place) -> None:
    """Put two phones of an air as far apart as `place` says."""
    air.place(one, 0, 0)
    air.place(other, place.metres, 0)
