from collections import Counter
from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest

from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from immuni.backend.publishing.builder import Padder, Padding
from immuni.backend.publishing.padding import noise_people, simulate_upload
from immuni.backend.publishing.rules import PublicationRules, Window
from immuni.backend.publishing.settings import PublishingSettings
from immuni.entropy import SeededEntropy
from immuni.keys import day_of, start_of

WINDOW = Window(datetime(2020, 6, 20, 8, tzinfo=UTC), datetime(2020, 6, 20, 12, tzinfo=UTC))
RULES = PublicationRules(
    infectiousness=DEFAULT_INFECTIOUSNESS,
    embargo=timedelta(hours=2),
    retention=timedelta(days=14),
)


def padder_of(seed: str) -> Padder:
    return Padder(
        rules=RULES,
        settings=PublishingSettings(),
        window=WINDOW,
        now=WINDOW.end,
        entropy=SeededEntropy(seed),
    )


def test_the_noise_is_geometric() -> None:
    entropy = SeededEntropy("noise")
    draws = [noise_people(20.0, entropy) for _ in range(20_000)]
    share = Counter(draws)

    # Of a geometric distribution of mean 20 each value is 20/21 times as frequent as the last.
    assert mean(draws) == pytest.approx(20.0, rel=0.03)
    assert share[0] / len(draws) == pytest.approx(1 / 21, rel=0.1)
    assert sum(draw >= 21 for draw in draws) / len(draws) == pytest.approx(
        (20 / 21) ** 21, rel=0.05
    )


def test_no_noise_is_none() -> None:
    assert noise_people(0.0, SeededEntropy("none")) == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_simulated_person_has_the_keys_that_a_phone_would_have(seed: int) -> None:
    upload = simulate_upload(WINDOW, SeededEntropy(seed))

    days = [day_of(tek.rolling_start_number) for tek in upload.teks]
    assert len(set(days)) == len(days) <= 14
    assert days == sorted(days)
    assert all(tek.rolling_start_number % 144 == 0 for tek in upload.teks)
    assert all(tek.rolling_period == 144 for tek in upload.teks[:-1])
    assert WINDOW.end.date() - timedelta(days=14) < days[0]
    # The key of the day itself was released at the upload.
    assert days[-1] == WINDOW.end.date()
    # Its last interval is the one that ran then.
    last = start_of(upload.teks[-1].rolling_end_number)
    assert WINDOW.start < last <= WINDOW.end


def test_simulated_people_differ_in_their_number_of_published_keys() -> None:
    padder = padder_of("people")
    counts = set()
    for _ in range(1000):
        padding = Padding()
        padder.add_person(padding)
        counts.add(len(padding.keys))

    assert counts >= set(range(3, 14))


def test_a_key_of_a_simulated_person_under_embargo_waits() -> None:
    padder = padder_of("waiting")
    padding = Padding()
    for _ in range(50):
        padder.add_person(padding)

    RULES.require_over_embargo(padding.keys.packed(), WINDOW.end)
    waiting = [tek for upload in padding.leftovers for tek in upload.teks]
    assert waiting
    assert not any(
        start_of(tek.rolling_end_number) + RULES.embargo <= WINDOW.end for tek in waiting
    )
