"""Nodes below nodes, from all down to the single province."""

from immuni.api.provinces import italy
from immuni.backend.analytics.insights.trees import Tree, place_tree
from tests.unit.backend.analytics.insights.months import small_country


def test_every_province_of_italy_has_a_region_and_abroad_has_none() -> None:
    paths = place_tree(italy(), []).paths

    assert len(paths) == 108
    assert paths["MI"] == ("MI", "Lombardia", "all")
    assert paths["EX"] == ("EX", "all")


def test_a_province_that_is_no_longer_one_has_no_region() -> None:
    assert place_tree(small_country(), ["XX"]).paths["XX"] == ("XX", "all")


def test_parts_lie_right_below_their_node_and_come_after_it() -> None:
    tree = place_tree(small_country(), [])

    assert tree.parts == {
        "all": ("Valle d'Aosta", "Piemonte", "EX"),
        "Valle d'Aosta": ("AO",),
        "Piemonte": ("CN", "TO"),
    }
    assert tree.nodes == ("all", "Valle d'Aosta", "Piemonte", "EX", "AO", "CN", "TO")


def test_a_leaf_belongs_to_one_part_of_each_node_above_it() -> None:
    tree = place_tree(small_country(), [])

    assert tree.part_of("all", "TO") == "Piemonte"
    assert tree.part_of("Piemonte", "TO") == "TO"
    assert tree.part_of("Valle d'Aosta", "TO") is None
    assert tree.part_of("all", "EX") == "EX"


def test_a_flat_tree_has_its_leaves_below_all() -> None:
    assert Tree.flat("ab").parts == {"all": ("a", "b")}
