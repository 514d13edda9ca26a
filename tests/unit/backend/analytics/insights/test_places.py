"""Places, and those that are put together because nothing is shown of them."""

from immuni.api.provinces import italy
from immuni.backend.analytics.insights.places import merged, place_dimension
from tests.unit.backend.analytics.insights.months import small_country


def test_every_province_of_italy_has_a_region_and_abroad_has_none() -> None:
    paths = place_dimension(italy(), []).paths

    assert len(paths) == 108
    assert paths["MI"] == ("MI", "Lombardia", "all")
    assert paths["EX"] == ("EX", "all")


def test_a_province_that_is_no_longer_one_has_no_region() -> None:
    assert place_dimension(small_country(), ["XX"]).paths["XX"] == ("XX", "all")


def test_hidden_places_stand_together_in_the_smallest_place_that_is_shown() -> None:
    places = place_dimension(small_country(), [])

    dimension, home = merged(places, {"TO", "Piemonte", "all"})

    assert home == {
        "TO": "TO",
        "CN": "rest of Piemonte",
        "AO": "rest of all",
        "EX": "rest of all",
    }
    assert dimension.paths["rest of Piemonte"] == ("rest of Piemonte", "Piemonte", "all")
