"""Ten thousand months of phones: their simulated uploads have the declared distributions."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from math import exp
from typing import Final

from immuni.api import ConfigurationSettings
from immuni.app.dummies.decision import (
    CHECKS,
    Kind,
    continues,
    kind_of_next,
    next_opportunity,
    next_session,
    request_wait,
    start_wait,
    valid_opportunity,
)
from immuni.app.dummies.people import FIRST_HOUR, LAST_HOUR, a_person
from immuni.entropy import SeededEntropy
from tests.unit.app.analytics.drawn import DAY
from tests.unit.app.laws import KOLMOGOROV, chi_square, deviations, from_law

PHONES: Final = 10_000
MONTH: Final = 30 * DAY
BEGIN: Final = datetime(2020, 7, 1, tzinfo=UTC)
SETTINGS: Final = ConfigurationSettings()
OPENED_EVERY: Final = 2 * DAY
CHI_SQUARE_3: Final = 16.27
"""Of 3 degrees of freedom: a true hypothesis is above it once in a thousand times."""


@dataclass
class Months:
    """What phones on iOS did, each in the month that its window opened in.

    Attributes:
        waits: From the first launch to the opening of the window, in seconds.
        starts: From the beginning of a session to that of its sequence, in seconds.
        started: Sequences of each phone.
    """

    waits: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    started: list[int] = field(default_factory=list)

    def live(self, entropy: SeededEntropy) -> None:
        opportunity = valid_opportunity(None, now=BEGIN, settings=SETTINGS, entropy=entropy)
        self.waits.append((opportunity.opens_at - BEGIN).total_seconds())
        # The user opens the App now and then, from just before the window on.
        now = max(opportunity.opens_at - DAY, BEGIN)
        end = now + MONTH
        started = 0
        while (now := now + OPENED_EVERY * entropy.exponential(1)) < end:
            opportunity = valid_opportunity(
                opportunity, now=now, settings=SETTINGS, entropy=entropy
            )
            wait = start_wait(opportunity, now=now, settings=SETTINGS, entropy=entropy)
            if wait is not None:
                started += 1
                self.starts.append(wait.total_seconds())
                opportunity = next_opportunity(now + wait, SETTINGS, entropy)
        self.started.append(started)


@cache
def months() -> Months:
    lived, entropy = Months(), SeededEntropy("ten thousand windows")
    for _ in range(PHONES):
        lived.live(entropy)
    return lived


@cache
def lengths() -> Counter[int]:
    """Return how many of ten thousand sequences have one dummy, two, three, and more."""
    entropy = SeededEntropy("ten thousand sequences")
    return Counter(min(a_length(entropy), 4) for _ in range(PHONES))


def a_length(entropy: SeededEntropy) -> int:
    sent = 1
    while continues(sent, SETTINGS, entropy):
        sent += 1
    return sent


def expected_lengths(first: float, others: float) -> dict[int, float]:
    shares = {
        1: 1 - first,
        2: first * (1 - others),
        3: first * others * (1 - others),
        4: first * others**2,
    }
    return {length: PHONES * share for length, share in shares.items()}


def exponential(mean: float, seconds: float) -> float:
    return 1 - exp(-seconds / mean)


def test_windows_open_after_exponential_times() -> None:
    mean = SETTINGS.dummy_teks_average_opportunity_waiting_time

    assert from_law(months().waits, lambda wait: exponential(mean, wait)) < KOLMOGOROV
    assert from_law(months().waits, lambda wait: exponential(1.1 * mean, wait)) > KOLMOGOROV


def test_sequences_start_after_exponential_times() -> None:
    mean = SETTINGS.dummy_teks_average_start_waiting_time

    assert from_law(months().starts, lambda wait: exponential(mean, wait)) < KOLMOGOROV
    assert from_law(months().starts, lambda wait: exponential(1.1 * mean, wait)) > KOLMOGOROV


def test_a_window_that_the_user_opens_the_app_in_starts_one_sequence() -> None:
    # Of 14 days without a visit, or with one and another window in the same month.
    missed = exp(-14 / (OPENED_EVERY / DAY))
    none = sum(each == 0 for each in months().started)

    assert deviations(none, PHONES, missed) < 4
    again = sum(each > 1 for each in months().started) / PHONES
    assert 0 < again < 1 - exp(-30 / 60)


def test_sequences_have_the_declared_lengths() -> None:
    assert chi_square(lengths(), expected_lengths(0.95, 0.1)) < CHI_SQUARE_3
    assert chi_square(lengths(), expected_lengths(0.96, 0.1)) > CHI_SQUARE_3
    assert chi_square(lengths(), expected_lengths(0.95, 0.12)) > CHI_SQUARE_3


def test_pauses_have_the_mean_of_the_settings() -> None:
    entropy = SeededEntropy("ten thousand pauses")
    pauses = [request_wait(SETTINGS, entropy).total_seconds() for _ in range(PHONES)]

    # One screen has a deviation of 0.66 means, three together one of 0.38: a hundredth of it here.
    assert abs(sum(pauses) / PHONES - 10) < 4 * 3.8 / 100
    assert sum(pause < 2 for pause in pauses) < PHONES / 1000


def test_checks_and_uploads_are_as_frequent_as_with_people() -> None:
    entropy = SeededEntropy("ten thousand people")
    people = [a_person(timedelta(seconds=10), entropy) for _ in range(PHONES)]
    checks, requests = sum(each.checks for each in people), sum(each.requests for each in people)
    kinds = Counter(kind_of_next(entropy) for _ in range(PHONES))

    assert abs(checks / requests - CHECKS) < 0.01
    assert deviations(kinds[Kind.CHECK], PHONES, CHECKS) < 4


def test_people_send_as_many_requests_as_the_settings_say() -> None:
    entropy = SeededEntropy("people")
    found = Counter(
        min(a_person(timedelta(seconds=10), entropy).requests, 4) for _ in range(PHONES)
    )

    for length, expected in expected_lengths(0.95, 0.1).items():
        assert abs(found[length] - expected) / PHONES < 0.02


def test_background_sessions_come_in_the_declared_share_of_months_and_evenly_in_the_day() -> None:
    entropy = SeededEntropy("ten thousand sessions")
    drawn = [next_session(BEGIN, SETTINGS, entropy, zone=UTC).opens_at for _ in range(PHONES)]
    within = sum(at < BEGIN + MONTH for at in drawn)
    hours = [at.hour + at.minute / 60 + at.second / 3600 for at in drawn]
    span = LAST_HOUR - FIRST_HOUR

    assert deviations(within, PHONES, exponential(60, 30)) < 4
    assert deviations(within, PHONES, exponential(66, 30)) > 4
    assert from_law(hours, lambda hour: (hour - FIRST_HOUR) / span) < KOLMOGOROV
    assert from_law(hours, lambda hour: (hour - FIRST_HOUR) / (span + 1)) > KOLMOGOROV
