from datetime import UTC, datetime

from immuni.app.analytics.memory import AnalyticsMemory
from immuni.app.analytics.tokens import usable_digits, with_authorisation, with_token
from immuni.entropy import Entropy, SeededEntropy
from tests.unit.app.analytics.drawn import DAY, NOON, Drawing

JULY = datetime(2020, 7, 1, tzinfo=UTC)


def token_at(
    memory: AnalyticsMemory,
    now: datetime,
    *,
    is_detection: bool = True,
    entropy: Entropy | None = None,
) -> AnalyticsMemory:
    entropy = entropy or Drawing(share=0.5)
    return with_token(memory, now=now, is_detection=is_detection, entropy=entropy)


def digits_of(memory: AnalyticsMemory) -> str:
    assert memory.token is not None
    return memory.token.digits


def authorised(memory: AnalyticsMemory) -> AnalyticsMemory:
    return with_authorisation(memory, digits_of(memory))


def test_a_token_has_128_hexadecimal_digits_and_no_two_are_alike() -> None:
    entropy = SeededEntropy("tokens")
    made = {digits_of(token_at(AnalyticsMemory(), NOON, entropy=entropy)) for _ in range(50)}

    assert len(made) == 50
    assert all(len(each) == 128 and set(each) <= set("0123456789abcdef") for each in made)


def test_the_first_token_does_not_wait_for_a_detection() -> None:
    assert token_at(AnalyticsMemory(), NOON, is_detection=False).token is not None


def test_a_token_is_replaced_at_the_first_detection_after_a_moment_of_the_next_month() -> None:
    memory = token_at(AnalyticsMemory(), NOON)
    moment = JULY + 15 * DAY

    assert memory.token is not None
    assert memory.token.replaced_from == moment
    assert token_at(memory, JULY) == memory
    assert token_at(memory, moment, is_detection=False) == memory
    replaced = token_at(memory, moment, entropy=SeededEntropy("fresh")).token
    assert replaced is not None
    assert replaced.digits != memory.token.digits
    assert not replaced.is_authorised
    assert replaced.replaced_from.month == 8


def test_only_an_authorised_token_is_used() -> None:
    memory = token_at(AnalyticsMemory(), NOON)

    assert usable_digits(AnalyticsMemory(), NOON) is None
    assert usable_digits(memory, NOON) is None
    assert usable_digits(authorised(memory), NOON) == digits_of(memory)


def test_a_token_is_used_in_its_month_and_in_the_next() -> None:
    memory = authorised(token_at(AnalyticsMemory(), NOON))

    assert usable_digits(memory, JULY + 30 * DAY) is not None
    assert usable_digits(memory, JULY + 31 * DAY) is None


def test_an_answer_about_a_token_that_was_replaced_authorises_nothing() -> None:
    memory = token_at(AnalyticsMemory(), NOON)

    assert with_authorisation(memory, "0" * 128) == memory
    assert with_authorisation(AnalyticsMemory(), "0" * 128) == AnalyticsMemory()


def test_a_token_does_not_show() -> None:
    memory = token_at(AnalyticsMemory(), NOON)

    assert digits_of(memory) not in repr(memory)
