from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from immuni.backend.errors import TooManyRequestsError
from immuni.backend.ingestion.limiter import WrongCodeLimiter, WrongCodeMetrics
from immuni.clock import ManualClock
from immuni.entropy import SeededEntropy

START = datetime(2020, 6, 20, 12, tzinfo=UTC)
HERE = "192.0.2.7"
TOTAL = "immuni_ingestion_wrong_codes_total"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def limiter(clock: ManualClock, registry: CollectorRegistry) -> WrongCodeLimiter:
    metrics = WrongCodeMetrics(registry)
    return WrongCodeLimiter(rate=3, metrics=metrics, clock=clock, entropy=SeededEntropy("limiter"))


def use_up(limiter: WrongCodeLimiter, address: str) -> None:
    for _ in range(3):
        limiter.check(address)
        limiter.count_wrong(address)


def wait_of(limiter: WrongCodeLimiter, address: str) -> timedelta:
    with pytest.raises(TooManyRequestsError) as refused:
        limiter.check(address)
    return refused.value.retry_after


def test_a_source_is_refused_after_its_wrong_codes(limiter: WrongCodeLimiter) -> None:
    use_up(limiter, HERE)

    assert wait_of(limiter, HERE) == timedelta(minutes=1)


def test_other_sources_are_not_refused(limiter: WrongCodeLimiter) -> None:
    use_up(limiter, HERE)

    limiter.check("192.0.2.8")
    limiter.check("")


def test_a_refusal_ends_when_it_said(limiter: WrongCodeLimiter, clock: ManualClock) -> None:
    use_up(limiter, HERE)
    clock.advance(timedelta(seconds=20))
    wait = wait_of(limiter, HERE)
    assert wait == timedelta(seconds=40)

    clock.advance(wait)

    limiter.check(HERE)


def test_a_clock_that_is_set_back_keeps_nobody_out(
    limiter: WrongCodeLimiter, clock: ManualClock
) -> None:
    use_up(limiter, HERE)
    clock.advance(-timedelta(days=1))

    limiter.check(HERE)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.7", HERE, True),
        ("not an address", "", True),
    ],
)
def test_a_source_is_a_subscriber(
    limiter: WrongCodeLimiter, one: str, other: str, *, same: bool
) -> None:
    use_up(limiter, one)

    with pytest.raises(TooManyRequestsError) if same else nullcontext():
        limiter.check(other)


def test_the_total_of_wrong_codes_is_told_without_a_word_of_their_sources(
    limiter: WrongCodeLimiter, registry: CollectorRegistry, clock: ManualClock
) -> None:
    use_up(limiter, HERE)
    clock.advance(timedelta(hours=2))
    limiter.count_wrong("2001:db8::1")

    assert registry.get_sample_value(TOTAL) == 4
    assert all(not sample.labels for metric in registry.collect() for sample in metric.samples)
    assert HERE.encode() not in generate_latest(registry)


def test_the_alert_in_the_documents_watches_the_total(
    limiter: WrongCodeLimiter, registry: CollectorRegistry
) -> None:
    limiter.check(HERE)
    page = (Path(__file__).parents[4] / "docs/operations/alerts.md").read_text(encoding="utf-8")

    assert registry.get_sample_value(TOTAL) == 0  # Told from the start, or no rate can be taken.
    assert f"sum(rate({TOTAL}[" in page


def test_nothing_in_memory_holds_an_address(limiter: WrongCodeLimiter) -> None:
    use_up(limiter, HERE)

    state = repr(vars(limiter))

    assert HERE not in state
    assert repr(bytes([192, 0, 2, 7]))[2:-1] not in state


def test_the_hash_of_an_address_changes_every_hour(
    limiter: WrongCodeLimiter, clock: ManualClock
) -> None:
    limiter.count_wrong(HERE)
    before = set(limiter._wrong)
    clock.advance(timedelta(hours=1))

    limiter.count_wrong(HERE)

    assert before.isdisjoint(limiter._wrong)
