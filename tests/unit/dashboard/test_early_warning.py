"""Early warning: how often it is false, how often it finds, and what it does not know."""

from collections.abc import Sequence
from math import comb, exp
from random import Random

import pytest

from immuni.api import italy
from immuni.dashboard.early_warning import (
    Change,
    EarlyWarningSettings,
    Finding,
    PeriodCount,
    Verdict,
    at_least,
    early_warning,
)

SETTINGS = EarlyWarningSettings()
PLACES = sorted(italy().codes)


def poisson(mean: float, random: Random) -> int:
    count, product, limit = 0, random.random(), exp(-mean)
    while product > limit:
        count, product = count + 1, product * random.random()
    return count


def alone(mean: float, rate: float, random: Random) -> int:
    """Return the reports of phones that are notified each by somebody else."""
    return poisson(mean * rate, random)


def together(mean: float, rate: float, random: Random) -> int:
    """Return the same where infected people notify 4 phones each on average, and together."""
    return sum(poisson(4 * rate, random) for _ in range(poisson(mean / 4, random)))


def shown(reports: int) -> int | None:
    return None if 0 < reports < 10 else reports


def change(
    before: int | None,
    after: int | None,
    *,
    days: tuple[int, int] = (7, 7),
    rates: tuple[float | None, float | None] = (1.0, 1.0),
    place: str = "MI",
) -> Change:
    return Change(
        place, PeriodCount(before, days[0], rates[0]), PeriodCount(after, days[1], rates[1])
    )


def judged(*changes: Change, settings: EarlyWarningSettings = SETTINGS) -> Sequence[Finding]:
    return early_warning(changes, settings)


def country(
    random: Random, *, rate: float, spread: object, first: float = 400, rising: float = 1
) -> list[Change]:
    """Return a country in two periods; its first province may be large, and rise by a factor."""
    assert callable(spread)
    changes = []
    for number, place in enumerate(PLACES):
        mean = 40 + 10 * (number % 9) if number else first
        before = spread(mean, rate, random)
        after = spread(mean if number else mean * rising, rate, random)
        changes.append(change(shown(before), shown(after), rates=(rate, rate), place=place))
    return changes


def alarms(runs: int, settings: EarlyWarningSettings, *, rate: float, spread: object) -> int:
    """Return in how many of steady countries there is any warning at all."""
    random = Random(20200908)  # noqa: S311 - the same in every run
    return sum(
        any(
            finding.verdict == Verdict.RISE
            for finding in early_warning(country(random, rate=rate, spread=spread), settings)
        )
        for _ in range(runs)
    )


# Of 80 runs at a probability of 5 % each, more than 9 warn with a probability of 1 %.
@pytest.mark.parametrize("rate", [0.2, 1.0])
@pytest.mark.parametrize("spread", [alone, together])
def test_a_steady_country_warns_no_more_often_than_it_may(rate: float, spread: object) -> None:
    assert alarms(80, SETTINGS, rate=rate, spread=spread) <= 9


def test_without_regard_to_companions_a_steady_country_would_warn() -> None:
    careless = EarlyWarningSettings(early_warning_companions=0)

    assert alarms(20, careless, rate=1.0, spread=together) > 10


def test_the_level_is_used_where_there_is_little_to_allow_for() -> None:
    """A level of a half: were the test far too careful, it would warn much more seldom."""
    lax = EarlyWarningSettings(
        early_warning_level=0.5, early_warning_companions=0, early_warning_rise=0
    )

    assert 15 <= alarms(60, lax, rate=1.0, spread=alone) <= 40


@pytest.mark.parametrize("spread", [alone, together])
@pytest.mark.parametrize(("first", "rising"), [(600, 2), (150, 4)])
def test_a_doubling_of_many_is_found_and_of_fewer_a_greater_rise(
    spread: object, first: float, rising: float
) -> None:
    """One province among 108; half of its notified phones report."""
    random = Random(7)  # noqa: S311 - the same in every run
    found = 0
    for _ in range(30):
        changes = country(random, rate=0.5, spread=spread, first=first, rising=rising)
        found += early_warning(changes, SETTINGS)[0].verdict == Verdict.RISE

    assert found >= 24


def test_a_doubling_of_hundreds_is_found_and_one_of_tens_may_be_chance() -> None:
    steady = [change(100, 100, place=place) for place in PLACES[1:]]

    assert judged(change(300, 600), *steady)[0].verdict == Verdict.RISE
    assert judged(change(10, 20), *steady)[0].verdict == Verdict.NO_RISE


def test_a_rise_below_the_share_is_none_however_certain() -> None:
    assert judged(change(100_000, 149_000))[0].verdict == Verdict.NO_RISE
    assert judged(change(100_000, 151_000))[0].verdict == Verdict.RISE
    assert judged(change(100_000, 110_000))[0].probability == pytest.approx(0, abs=1e-9)


def test_a_longer_period_is_no_rise() -> None:
    finding = judged(change(700, 1000, days=(7, 10)))[0]

    assert finding.verdict == Verdict.NO_RISE
    assert finding.rise == pytest.approx(0)


def test_a_higher_sampling_rate_is_no_rise() -> None:
    finding = judged(change(700, 2100, rates=(0.1, 0.3)))[0]

    assert finding.verdict == Verdict.NO_RISE
    assert finding.rise == pytest.approx(0)


@pytest.mark.parametrize(
    "unknown",
    [
        change(None, 1000),
        change(0, None),
        change(None, None),
        change(10, 1000, rates=(None, 1.0)),
        change(10, 1000, rates=(1.0, 0.0)),
    ],
)
def test_what_is_withheld_or_without_a_rate_is_not_known(unknown: Change) -> None:
    assert judged(unknown) == [Finding("MI", Verdict.NOT_KNOWN, None, None)]


def test_unknown_places_count_among_the_places() -> None:
    """Withholding the quiet places must not make a chance at one of many look rare."""
    hidden = [change(None, None, place=place) for place in PLACES[1:]]
    single = EarlyWarningSettings(early_warning_companions=0)

    assert judged(change(20, 40), settings=single)[0].verdict == Verdict.RISE
    assert judged(change(20, 40), *hidden, settings=single)[0].verdict == Verdict.NO_RISE


def test_from_nothing_to_much_is_a_rise_without_a_share() -> None:
    finding = judged(change(0, 100))[0]

    assert (finding.verdict, finding.rise) == (Verdict.RISE, None)
    assert judged(change(0, 10))[0].verdict == Verdict.NO_RISE


def test_nothing_before_and_nothing_after_is_no_rise() -> None:
    finding = judged(change(0, 0))[0]

    assert (finding.verdict, finding.rise, finding.probability) == (Verdict.NO_RISE, 0, 1)


def test_many_rises_at_once_help_each_other() -> None:
    """As a wave begins: what would be chance at one place among many is none at a third of them."""
    single = EarlyWarningSettings(early_warning_companions=0)
    rising = [change(30, 58, place=place) for place in PLACES[:36]]
    steady = [change(30, 30, place=place) for place in PLACES[36:]]

    assert judged(rising[0], *steady, settings=single)[0].verdict == Verdict.NO_RISE
    findings = judged(*rising, *steady, settings=single)
    assert [finding.verdict for finding in findings[:36]] == [Verdict.RISE] * 36


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("number", [0, 1, 7, 200])
def test_the_probability_is_the_binomials(number: int, share: float) -> None:
    for count in range(number + 1):
        exact = sum(
            comb(number, each) * share**each * (1 - share) ** (number - each)
            for each in range(count, number + 1)
        )
        assert at_least(count, of=number, share=share) == pytest.approx(exact, abs=1e-12)
