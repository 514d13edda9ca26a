"""Each rule by which a phone sends Operational Info, a dummy, or nothing."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from immuni.api import ConfigurationSettings
from immuni.app.analytics.decision import (
    Sending,
    after_contact,
    after_detection,
    may_send,
    with_detection,
)
from immuni.app.analytics.memory import AnalyticsMemory, Detected
from tests.unit.app.analytics.drawn import (
    ALWAYS,
    DAY,
    HOUR,
    INSTALLED,
    NEVER,
    NOON,
    Drawing,
    a_memory,
)

SECOND = timedelta(seconds=1)


def detect(
    memory: AnalyticsMemory,
    detected: Detected = Detected.NO_EXPOSURE,
    *,
    at: datetime = NOON,
    settings: ConfigurationSettings = ALWAYS,
    entropy: Drawing | None = None,
) -> tuple[AnalyticsMemory, Sending | None]:
    return after_detection(
        memory, detected, now=at, settings=settings, entropy=entropy or Drawing()
    )


def contact(
    memory: AnalyticsMemory,
    *,
    at: datetime,
    installed_at: datetime = INSTALLED,
    entropy: Drawing | None = None,
) -> AnalyticsMemory:
    return after_contact(
        memory, now=at, installed_at=installed_at, settings=ALWAYS, entropy=entropy or Drawing()
    )


def test_a_detection_that_warned_reports_once_in_a_calendar_month() -> None:
    memory, first = detect(a_memory(), Detected.EXPOSURE)
    memory, second = detect(memory, Detected.EXPOSURE, at=datetime(2020, 6, 30, 23, tzinfo=UTC))
    memory, third = detect(memory, Detected.EXPOSURE, at=datetime(2020, 7, 1, tzinfo=UTC))

    assert (first, second, third) == (Sending.WITH_EXPOSURE, None, Sending.WITH_EXPOSURE)


def test_a_warning_uses_the_month_up_whatever_it_draws() -> None:
    memory, lost = detect(a_memory(), Detected.EXPOSURE, settings=NEVER)
    memory, later = detect(memory, Detected.EXPOSURE, at=NOON + DAY, settings=ALWAYS)

    assert (lost, later) == (None, None)


@pytest.mark.parametrize("detected", list(Detected))
@pytest.mark.parametrize(("share", "is_sent"), [(0.29, True), (0.3, False), (0.9, False)])
def test_a_draw_below_the_rate_sends(detected: Detected, share: float, is_sent: bool) -> None:  # noqa: FBT001 - a column
    rates = ConfigurationSettings(
        operational_info_with_exposure_sampling_rate=0.3,
        operational_info_without_exposure_sampling_rate=0.3,
    )

    _, sending = detect(
        a_memory(moment=NOON), detected, settings=rates, entropy=Drawing(share=share)
    )

    assert (sending is not None) == is_sent


@pytest.mark.parametrize(
    ("offset", "sending"),
    [
        (-SECOND, None),
        (timedelta(), Sending.WITHOUT_EXPOSURE),
        (DAY - SECOND, Sending.WITHOUT_EXPOSURE),
        (DAY, None),
    ],
    ids=["before", "first", "last", "too late"],
)
def test_a_detection_without_exposure_reports_within_a_day_of_its_moment(
    offset: timedelta, sending: Sending | None
) -> None:
    assert detect(a_memory(moment=NOON), at=NOON + offset)[1] is sending


def test_a_report_without_exposure_is_sent_once_in_a_month_and_drawn_once() -> None:
    memory, first = detect(a_memory(moment=NOON))
    _, second = detect(memory, at=NOON + HOUR)
    memory, lost = detect(a_memory(moment=NOON), settings=NEVER)
    _, later = detect(memory, at=NOON + HOUR, settings=ALWAYS)

    assert (first, second, lost, later) == (Sending.WITHOUT_EXPOSURE, None, None, None)


def test_a_warning_within_the_day_leaves_the_other_draw_to_a_later_detection() -> None:
    memory, first = detect(a_memory(moment=NOON), Detected.EXPOSURE)
    _, second = detect(memory, at=NOON + HOUR)

    assert (first, second) == (Sending.WITH_EXPOSURE, Sending.WITHOUT_EXPOSURE)


@pytest.mark.parametrize("month", [date(2020, 2, 1), date(2021, 2, 1), date(2020, 12, 1)])
@pytest.mark.parametrize("share", [0.0, 0.999999999])
def test_the_moment_of_a_month_leaves_a_day_of_it(month: date, share: float) -> None:
    begin = datetime(month.year, month.month, 1, tzinfo=UTC)
    following = (begin + timedelta(days=31)).replace(day=1)

    moment = contact(AnalyticsMemory(), at=begin, entropy=Drawing(share=share)).moment

    assert moment is not None
    assert moment.month == month
    assert begin <= moment.at <= following - DAY


def test_the_moment_is_drawn_at_the_months_first_activity_and_kept() -> None:
    june = contact(AnalyticsMemory(), at=NOON, entropy=Drawing(share=0.25))
    again = contact(june, at=NOON + DAY, entropy=Drawing(share=0.75))
    july = contact(june, at=datetime(2020, 7, 9, tzinfo=UTC), entropy=Drawing(share=0.5))

    assert again == june
    assert june.moment is not None
    assert june.moment.at == datetime(2020, 6, 8, 6, tzinfo=UTC)
    assert july.moment is not None
    assert july.moment.at == datetime(2020, 7, 16, tzinfo=UTC)


def test_a_month_is_that_of_utc_wherever_the_time_is_told() -> None:
    rome = timezone(timedelta(hours=2))
    june_in_utc = datetime(2020, 7, 1, 1, tzinfo=rome)

    memory, _ = detect(a_memory(), Detected.EXPOSURE, at=june_in_utc)

    assert memory.exposure_drawn_in == date(2020, 6, 1)


def test_a_month_that_was_left_is_not_entered_again() -> None:
    memory, _ = detect(a_memory(), Detected.EXPOSURE)
    july = contact(memory, at=datetime(2020, 7, 9, tzinfo=UTC))
    july, _ = detect(july, Detected.EXPOSURE, at=datetime(2020, 7, 9, tzinfo=UTC))

    june = contact(july, at=NOON)
    _, sending = detect(june, Detected.EXPOSURE)

    assert june.moment == july.moment
    assert sending is None


@pytest.mark.parametrize("detected", list(Detected))
def test_nothing_is_sent_or_used_up_in_the_first_day(detected: Detected) -> None:
    memory = a_memory(installed_at=NOON, moment=NOON, dummy_from=NOON)

    assert detect(memory, detected, at=NOON + DAY - SECOND) == (memory, None)
    assert detect(memory, detected, at=NOON - DAY) == (memory, None)


def test_a_day_after_the_installation_the_phone_may_send() -> None:
    memory = a_memory(installed_at=NOON)

    assert detect(memory, Detected.EXPOSURE, at=NOON + DAY)[1] is Sending.WITH_EXPOSURE


def test_a_phone_that_never_met_a_server_sends_nothing() -> None:
    assert not may_send(AnalyticsMemory(), NOON)
    assert detect(AnalyticsMemory(), Detected.EXPOSURE) == (AnalyticsMemory(), None)


def test_the_installation_is_learnt_at_the_first_contact_and_kept() -> None:
    memory = contact(AnalyticsMemory(), at=NOON, installed_at=INSTALLED)
    later = contact(memory, at=NOON + DAY, installed_at=NOON + DAY)

    assert memory.installed_at == later.installed_at == INSTALLED


def test_nobody_was_installed_in_the_future() -> None:
    memory = contact(AnalyticsMemory(), at=NOON, installed_at=NOON + 1000 * DAY)

    assert memory.installed_at == NOON


def test_the_first_dummy_waits_from_the_installation_on() -> None:
    memory = contact(AnalyticsMemory(), at=NOON, entropy=Drawing(means=2))

    assert memory.dummy_from == INSTALLED + timedelta(seconds=2 * 2_592_000)


@pytest.mark.parametrize(
    ("offset", "sending"),
    [(-SECOND, None), (timedelta(), Sending.DUMMY), (DAY - SECOND, Sending.DUMMY), (DAY, None)],
    ids=["before", "first", "last", "too late"],
)
@pytest.mark.parametrize("detected", list(Detected))
def test_a_detection_within_the_window_sends_a_dummy(
    detected: Detected, offset: timedelta, sending: Sending | None
) -> None:
    memory, sent = detect(a_memory(dummy_from=NOON), detected, at=NOON + offset, settings=NEVER)

    assert sent is sending
    is_redrawn = memory.dummy_from == NOON + offset + timedelta(seconds=2_592_000)
    assert is_redrawn == (offset >= timedelta())


def test_a_genuine_report_goes_alone_and_uses_the_window_up() -> None:
    memory, sending = detect(a_memory(dummy_from=NOON), Detected.EXPOSURE)

    assert sending is Sending.WITH_EXPOSURE
    assert memory.dummy_from == NOON + timedelta(seconds=2_592_000)


def test_a_genuine_report_before_the_window_leaves_it_where_it_is() -> None:
    memory, sending = detect(a_memory(dummy_from=NOON + DAY), Detected.EXPOSURE)

    assert sending is Sending.WITH_EXPOSURE
    assert memory.dummy_from == NOON + DAY


def test_a_detection_that_warned_is_not_forgotten_for_one_that_did_not() -> None:
    warned = with_detection(a_memory(), Detected.EXPOSURE)
    quiet = with_detection(a_memory(), Detected.NO_EXPOSURE)

    assert with_detection(warned, Detected.NO_EXPOSURE) == warned
    assert with_detection(quiet, Detected.EXPOSURE).undecided is Detected.EXPOSURE
    assert with_detection(quiet, None) == quiet
