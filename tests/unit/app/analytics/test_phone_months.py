"""Ten thousand months of phones: what all of them together send has the right distributions."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import exp
from typing import Final

import pytest

from immuni.api import ConfigurationSettings
from immuni.app.analytics.decision import Sending, after_contact, after_detection
from immuni.app.analytics.memory import AnalyticsMemory, Detected
from immuni.entropy import SeededEntropy
from tests.unit.app.analytics.drawn import DAY
from tests.unit.app.laws import KOLMOGOROV, deviations, from_law

PHONES: Final = 10_000
JULY: Final = datetime(2020, 7, 1, tzinfo=UTC)
AUGUST: Final = datetime(2020, 8, 1, tzinfo=UTC)
PERIOD: Final = timedelta(hours=12)
RATES: Final = ConfigurationSettings(
    operational_info_with_exposure_sampling_rate=0.7,
    operational_info_without_exposure_sampling_rate=0.6,
)
WARNED_EVERY: Final = 40
"""One detection in so many warns."""
CHI_SQUARE_28: Final = 56.89
"""Of 28 degrees of freedom: a true hypothesis is above it once in a thousand times."""


@dataclass
class July:
    """What became of the phones' month.

    Attributes:
        sent: Each sending, with its moment.
        per_phone: Of each phone, how often it sent what.
        moments: When each phone looked for a detection without exposure.
        waits: How long each dummy waited, in seconds, however long the month.
        warned: How many phones had a warning.
    """

    sent: list[tuple[Sending, datetime]] = field(default_factory=list)
    per_phone: list[Counter[Sending]] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    warned: int = 0

    def count(self, kind: Sending) -> int:
        return sum(each is kind for each, _ in self.sent)

    def moments_in(self, span: timedelta) -> list[float]:
        """Return the moments as shares of a span of the month."""
        return [(each - JULY) / span for each in self.moments]

    def live(self, entropy: SeededEntropy) -> None:
        """Let one phone live through it; it was installed in June."""
        installed_at = JULY - timedelta(days=entropy.uniform(1, 29))
        now = JULY + timedelta(seconds=entropy.uniform(0, PERIOD.total_seconds()))
        memory = after_contact(
            AnalyticsMemory(), now=now, installed_at=installed_at, settings=RATES, entropy=entropy
        )
        assert memory.moment is not None
        assert memory.dummy_from is not None
        self.moments.append(memory.moment.at)
        self.waits.append((memory.dummy_from - installed_at).total_seconds())
        sent: Counter[Sending] = Counter()
        was_warned = False
        while now < AUGUST:
            warned = entropy.below(WARNED_EVERY) == 0
            detected = Detected.EXPOSURE if warned else Detected.NO_EXPOSURE
            was_warned |= warned
            memory, sending = after_detection(
                memory, detected, now=now, settings=RATES, entropy=entropy
            )
            if sending is not None:
                sent[sending] += 1
                self.sent.append((sending, now))
            now += PERIOD
        self.per_phone.append(sent)
        self.warned += was_warned


@pytest.fixture(scope="module")
def july() -> July:
    lived, entropy = July(), SeededEntropy("ten thousand phones")
    for _ in range(PHONES):
        lived.live(entropy)
    return lived


def test_no_phone_reports_twice_of_one_kind(july: July) -> None:
    for kind in (Sending.WITH_EXPOSURE, Sending.WITHOUT_EXPOSURE):
        assert max(each[kind] for each in july.per_phone) == 1


def test_warned_phones_report_at_their_rate(july: July) -> None:
    assert july.warned > PHONES / 2
    assert deviations(july.count(Sending.WITH_EXPOSURE), july.warned, 0.7) < 4


def test_all_phones_report_without_exposure_at_the_other_rate(july: July) -> None:
    # Two detections a day: one in 1600 phones is warned at both of those that may draw.
    unwarned = 1 - 1 / WARNED_EVERY**2
    assert deviations(july.count(Sending.WITHOUT_EXPOSURE), PHONES, 0.6 * unwarned) < 4


def test_moments_are_uniform_in_the_month_without_its_last_day(july: July) -> None:
    span = AUGUST - DAY - JULY

    assert from_law(july.moments_in(span), lambda share: share) < KOLMOGOROV


def test_each_day_sees_as_many_reports_without_exposure_as_any_other(july: July) -> None:
    by_day = Counter(at.day for kind, at in july.sent if kind is Sending.WITHOUT_EXPOSURE)
    # Of the first and the last day half of the moments lie in the day beside them, or outside.
    whole = {day: by_day[day] for day in range(2, 31)}
    expected = sum(whole.values()) / len(whole)

    statistic = sum((found - expected) ** 2 / expected for found in whole.values())

    assert statistic < CHI_SQUARE_28


def test_dummies_wait_for_exponential_times(july: July) -> None:
    mean = RATES.dummy_analytics_waiting_time

    assert from_law(july.waits, lambda wait: 1 - exp(-wait / mean)) < KOLMOGOROV


def test_dummies_come_as_often_as_their_mean_says(july: July) -> None:
    # A window that opens is met within hours and drawn anew. Where a report is due, it goes alone.
    mean_days = RATES.dummy_analytics_waiting_time / DAY.total_seconds() + PERIOD / DAY / 2
    month = (AUGUST - JULY) / DAY

    per_phone = july.count(Sending.DUMMY) / PHONES

    assert 0.9 * month / mean_days < per_phone < month / mean_days


def test_the_tests_of_distributions_find_what_is_wrong(july: July) -> None:
    span = AUGUST - JULY
    mean = 1.1 * RATES.dummy_analytics_waiting_time

    assert from_law(july.moments_in(span), lambda share: share) > KOLMOGOROV
    assert from_law(july.waits, lambda wait: 1 - exp(-wait / mean)) > KOLMOGOROV
    assert deviations(july.count(Sending.WITH_EXPOSURE), july.warned, 0.75) > 4
