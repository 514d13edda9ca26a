import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS, Diagnosis
from immuni.backend.packed_keys import stored_keys
from immuni.backend.publishing.builder import build_file
from immuni.backend.publishing.rules import (
    EmbargoError,
    PublicationRules,
    Window,
    not_before,
    window_at,
)
from immuni.backend.publishing.settings import CHUNK_PERIOD, PublishingSettings, cron_of
from immuni.keys import (
    DiagnosisKey,
    ENIntervalNumber,
    PackedKeys,
    TemporaryExposureKey,
    day_of,
    first_interval_of,
    start_of,
)

RULES = PublicationRules(
    infectiousness=DEFAULT_INFECTIOUSNESS,
    embargo=timedelta(hours=2),
    retention=timedelta(days=14),
)
TODAY = date(2020, 6, 20)
TEK = TemporaryExposureKey(bytes(16), first_interval_of(TODAY), 60)
ILL = Diagnosis(TODAY, None)
END = start_of(TEK.rolling_end_number)
SECOND = timedelta(seconds=1)
MONTH = timedelta(days=30)


@pytest.mark.parametrize(
    ("now", "ready", "waiting"),
    [
        (END - timedelta(days=1), 0, 1),
        (END + timedelta(hours=2) - SECOND, 0, 1),
        (END + timedelta(hours=2), 1, 0),
        (END + timedelta(days=14) - SECOND, 1, 0),
        (END + timedelta(days=14), 0, 0),
    ],
)
def test_a_key_waits_then_is_due_then_is_of_no_use(now: datetime, ready: int, waiting: int) -> None:
    parts = RULES.sort(stored_keys([TEK]), ILL, now)

    assert (len(parts.ready), len(parts.waiting)) == (ready, waiting)


@pytest.mark.parametrize(("days", "published"), [(2, True), (3, False), (-14, True), (-15, False)])
def test_a_key_outside_the_table_is_neither_published_nor_kept(
    days: int, *, published: bool
) -> None:
    diagnosis = Diagnosis(TODAY + timedelta(days=days), None)

    parts = RULES.sort(stored_keys([TEK]), diagnosis, END + timedelta(hours=2))

    assert len(parts.ready) == published
    assert parts.waiting == []


def test_the_days_of_a_person_without_symptoms_are_filled_in() -> None:
    tested = Diagnosis(None, TODAY)

    (key,) = RULES.sort(stored_keys([TEK]), tested, END + timedelta(hours=2)).ready.packed()

    assert key.days_since_onset_of_symptoms == 2


def test_the_writer_refuses_a_key_under_embargo_whoever_chose_it() -> None:
    early = END + timedelta(hours=2) - SECOND
    window = window_at(early, timedelta(hours=4))

    with pytest.raises(EmbargoError, match="1 keys"):
        build_file(
            PackedKeys([DiagnosisKey(TEK)]),
            window=window,
            rules=RULES,
            settings=PublishingSettings(),
            signers=[],
            now=early,
        )


def test_the_writer_refuses_it_under_an_optimising_python_as_well() -> None:
    """An assert would be left out there."""
    attempt = "import pytest, tests.unit.backend.publishing.test_rules as rules; "
    attempt += "rules.test_the_writer_refuses_a_key_under_embargo_whoever_chose_it()"

    ended = subprocess.run([sys.executable, "-O", "-c", attempt], check=False)

    assert ended.returncode == 0


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["1m", "5m", "30m", "1h", "4h", "8h", "1d"]),
)
def test_a_window_is_the_last_whole_period(instant: datetime, text: str) -> None:
    now, period = instant.replace(tzinfo=UTC), CHUNK_PERIOD.parse(text)

    window = window_at(now, period)

    assert window.end <= now < window.end + period
    assert window.end - window.start == period
    midnight = window.end.replace(hour=0, minute=0, second=0, microsecond=0)
    assert (window.end - midnight) % period == timedelta(0)


def test_a_window_never_goes_back_and_keeps_its_length() -> None:
    window = window_at(datetime(2020, 6, 20, 13, tzinfo=UTC), timedelta(hours=4))

    assert not_before(window, None) == window
    assert not_before(window, window.start) == window
    assert not_before(window, window.end + timedelta(days=1)) == Window(
        window.start + timedelta(days=1), window.end + timedelta(days=1)
    )


def test_a_window_does_not_depend_on_the_zone_of_the_clock() -> None:
    instant = datetime.fromisoformat("2020-06-20T13:30:00+02:00")

    assert window_at(instant, timedelta(hours=4)) == Window(
        datetime(2020, 6, 20, 4, tzinfo=UTC), datetime(2020, 6, 20, 8, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("period", "cron"),
    [("1m", "*/1 * * * *"), ("30m", "*/30 * * * *"), ("4h", "0 */4 * * *"), ("1d", "0 0 * * *")],
)
def test_the_schedule_follows_from_the_period(period: str, cron: str) -> None:
    assert cron_of(CHUNK_PERIOD.parse(period)) == cron


@pytest.mark.parametrize("period", ["0", "7m", "5h", "2d", "30s", "x"])
def test_a_period_that_does_not_divide_the_day_is_refused(period: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - kinds raise it bare, the reader words it
        CHUNK_PERIOD.parse(period)


def test_a_key_that_never_ends_is_never_due() -> None:
    late = TemporaryExposureKey(bytes(16), ENIntervalNumber(first_interval_of(TODAY) + 10**6))

    parts = RULES.sort(
        stored_keys([late]), Diagnosis(day_of(late.rolling_start_number), None), END + MONTH
    )

    assert (len(parts.ready), parts.waiting) == (0, list(stored_keys([late])))
