"""The page about ASVS holds every point once, and what it links is there."""

import re
from typing import Final

from tests.unit.docs.documents import ROOT

PAGE: Final = ROOT / "docs/explanation/asvs.md"
ROW: Final = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TARGET: Final = re.compile(r"^\[([a-z0-9-]+)\]: (\S+)$", re.MULTILINE)
USE: Final = re.compile(r"\[([a-z0-9-]+)\](?![:(\[])")
HERE: Final = ("yes", "partly", "no", "deployment", "—")
# Release 5.0.0: section, and how many of its points are of level 1 or 2. Those come first in each.
POINTS: Final = """
    1.1:2 1.2:9 1.3:11 1.4:3 1.5:2
    2.1:3 2.2:3 2.3:4 2.4:1
    3.2:2 3.3:4 3.4:6 3.5:5 3.7:2
    4.1:3 4.2:1 4.3:2 4.4:4
    5.1:1 5.2:3 5.3:2 5.4:3
    6.1:3 6.2:12 6.3:4 6.4:4 6.5:5 6.6:3 6.8:4
    7.1:3 7.2:4 7.3:2 7.4:5 7.5:2 7.6:2
    8.1:2 8.2:3 8.3:1 8.4:1
    9.1:3 9.2:4
    10.1:2 10.2:2 10.3:4 10.4:11 10.5:5 10.6:2 10.7:3
    11.1:2 11.2:3 11.3:3 11.4:4 11.5:1 11.6:1
    12.1:3 12.2:2 12.3:4
    13.1:1 13.2:5 13.3:2 13.4:5
    14.1:2 14.2:4 14.3:3
    15.1:3 15.2:3 15.3:7
    16.1:1 16.2:5 16.3:4 16.4:3 16.5:3
    17.1:1 17.2:4 17.3:2
"""


def rows() -> list[tuple[str, ...]]:
    return ROW.findall(PAGE.read_text("utf-8"))


def test_every_point_of_both_levels_stands_there_once_and_in_order() -> None:
    wanted = [
        f"{section}.{number}"
        for section, _, count in (each.partition(":") for each in POINTS.split())
        for number in range(1, int(count) + 1)
    ]

    assert len(wanted) == 253
    assert [point for point, *_ in rows()] == wanted


def test_every_point_is_answered_and_the_answers_are_counted() -> None:
    answers = [here for _, _, here, _ in rows()]

    assert set(answers) <= set(HERE)
    for here in HERE:
        counted = re.search(
            rf"^\| {here} \| .* \| (\d+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
        )
        assert counted, here
        assert int(counted[1]) == answers.count(here), here


def test_every_link_leads_to_a_file_and_every_file_is_used() -> None:
    text = PAGE.read_text("utf-8")
    targets = dict(TARGET.findall(text))

    assert len(targets) > 50
    assert set(targets) == set(USE.findall(text))
    for path in targets.values():
        assert (PAGE.parent / path).is_file(), path
