"""Keys that are published again."""

from itertools import product

import pytest

from immuni.keys import PackedKeys, ReportType
from immuni.matching import keys_in_force, supersedes
from tests.unit.matching.contacts import a_key

UNKNOWN = ReportType.UNKNOWN
SELF = ReportType.SELF_REPORT
CLINICAL = ReportType.CONFIRMED_CLINICAL_DIAGNOSIS
CONFIRMED = ReportType.CONFIRMED_TEST
RECURSIVE = ReportType.RECURSIVE
REVOKED = ReportType.REVOKED

ASCENDING = [RECURSIVE, UNKNOWN, SELF, CLINICAL, CONFIRMED, REVOKED]


@pytest.mark.parametrize(("new", "former"), [*product(ASCENDING, ASCENDING)])
def test_only_a_better_report_type_takes_the_place_of_the_former(
    new: ReportType, former: ReportType
) -> None:
    assert supersedes(new, former) == (ASCENDING.index(new) > ASCENDING.index(former))


@pytest.mark.parametrize(
    ("published", "in_force"),
    [
        ([UNKNOWN], 0),
        ([SELF, CLINICAL, CONFIRMED], 2),
        ([CONFIRMED, CLINICAL, SELF], 0),
        ([CLINICAL, CLINICAL], 0),
        ([RECURSIVE], None),
        ([RECURSIVE, SELF], 1),
        ([SELF, RECURSIVE], 0),
        ([REVOKED], None),
        ([CONFIRMED, REVOKED], None),
        ([REVOKED, CONFIRMED], None),
    ],
)
def test_the_best_version_is_in_force_and_a_revoked_key_is_not(
    published: list[ReportType], in_force: int | None
) -> None:
    keys = [a_key(report_type=report_type) for report_type in published]

    assert keys_in_force(keys) == (set() if in_force is None else {in_force})


def test_versions_are_told_by_the_bytes_of_the_key() -> None:
    keys = [a_key(1), a_key(2, report_type=REVOKED), a_key(3)]

    assert keys_in_force(keys) == {0, 2}


def test_the_answer_is_limited_to_the_places_that_were_asked_for() -> None:
    keys = [a_key(1), a_key(2), a_key(1, report_type=REVOKED), a_key(2), a_key(3)]

    assert keys_in_force(keys, among=[0]) == set()
    assert keys_in_force(keys, among=[3]) == {1}
    assert keys_in_force(keys, among=[]) == set()
    assert keys_in_force(PackedKeys(keys), among=[1, 4]) == {1, 4}
