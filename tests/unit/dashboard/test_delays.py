"""The delays against samples of what they are distributions of."""

from collections import Counter
from math import floor, log
from random import Random

import pytest

from immuni.dashboard.delays import incubation, one_after_the_other, waiting


def test_an_incubation_is_a_log_normal_from_a_uniform_moment_of_its_first_day() -> None:
    random = Random(1)  # noqa: S311 - the same in every run
    sampled = Counter(
        floor(random.random() + random.lognormvariate(log(5.06), log(1.52))) for _ in range(50_000)
    )
    shares = incubation(60, median_days=5.06, dispersion=1.52)

    for days, share in enumerate(shares):
        assert sampled[days] / 50_000 == pytest.approx(share, abs=0.007)


def test_the_published_percentiles_come_out() -> None:
    """Lauer et al. 2020: 2.5 % within 2.2 days, 97.5 % within 11.5 days; in whole days, about."""
    shares = incubation(60, median_days=5.06, dispersion=1.52)

    assert sum(shares) == pytest.approx(1, abs=1e-6)
    assert sum(shares[:2]) < 0.025 < sum(shares[:4])
    assert sum(shares[:11]) < 0.975 < sum(shares[:14])


def test_a_wait_has_its_mean() -> None:
    shares = waiting(400, mean_days=3)

    assert sum(shares) == pytest.approx(1)
    assert sum(days * share for days, share in enumerate(shares)) == pytest.approx(3)
    assert waiting(3, mean_days=0) == [1, 0, 0]


def test_one_wait_after_the_other_takes_as_long_as_both() -> None:
    shares = one_after_the_other([0.5, 0.5, 0], [0, 0.25, 0.75])

    assert shares == pytest.approx([0, 0.125, 0.5])
