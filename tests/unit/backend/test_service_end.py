"""Whom a published last day ends the service for."""

from datetime import date

import pytest

from immuni.api import Platform
from immuni.backend.service_end import EndEntry, end_for_all

FIRST = date(2020, 12, 31)
SECOND = date(2021, 1, 31)
IOS, ANDROID = Platform.IOS, Platform.ANDROID


def entries(*told: tuple[Platform, int, date | None]) -> list[EndEntry]:
    return [EndEntry(*each) for each in told]


def test_a_day_that_every_phone_is_told_ends_the_service() -> None:
    assert end_for_all(entries((IOS, 1, FIRST), (ANDROID, 1, FIRST))) == FIRST


def test_of_two_days_the_later_counts() -> None:
    told = entries((ANDROID, 1, FIRST), (IOS, 1, FIRST), (IOS, 20, SECOND))
    assert end_for_all(told) == SECOND


@pytest.mark.parametrize(
    "told",
    [
        [],
        [(IOS, 1, FIRST)],
        [(IOS, 1, FIRST), (ANDROID, 1, None)],
        [(IOS, 1, FIRST), (ANDROID, 5, FIRST)],
        [(IOS, 1, FIRST), (IOS, 7, None), (ANDROID, 1, FIRST)],
    ],
    ids=["nobody", "one platform", "not there", "from a build on", "no longer from a build on"],
)
def test_while_some_phone_goes_on_the_service_does(
    told: list[tuple[Platform, int, date | None]],
) -> None:
    assert end_for_all(entries(*told)) is None
