"""What is shown when a day, a period and a month are over."""

import pytest

from immuni.backend.analytics.insights.closing import close_day
from immuni.backend.analytics.insights.counts import MonthCounts, UploadKey
from immuni.backend.analytics.insights.figures import Breakdown, Span, Subject, TableName
from tests.unit.backend.analytics.insights.months import (
    JUNE,
    K,
    closed,
    notified_month,
    small_country,
    table,
)

JUNE_1 = JUNE[0]


def test_a_small_day_takes_the_day_after_along_and_its_month_is_shown() -> None:
    counts = notified_month([50, 3, 40, 60] + [20] * 26)

    ledger = closed(counts)

    days = [table(ledger, Subject.NOTIFIED, Span.DAY, day)[("notified",)] for day in JUNE]
    assert days == [50, None, None, 60] + [20] * 26
    month = table(ledger, Subject.NOTIFIED, Span.MONTH, JUNE_1)
    assert month == {("notified",): 50 + 3 + 40 + 60 + 26 * 20}


def test_what_is_shown_of_a_day_does_not_depend_on_later_days() -> None:
    early, late = (notified_month([50, 3, 40, 60, *later]) for later in ([20] * 26, [0, 1] * 13))

    for day in JUNE[:4]:
        name = TableName(Subject.NOTIFIED, Span.DAY, Breakdown.NOTHING, day)
        assert closed(early, until=JUNE[3]).tables[name] == closed(late).tables[name]


def test_the_last_day_of_a_month_if_small_hides_the_sums_that_it_is_in() -> None:
    ledger = closed(notified_month([20] * 29 + [4]))

    assert table(ledger, Subject.NOTIFIED, Span.DAY, JUNE[28]) == {("notified",): 20}
    for span, since in ((Span.DAY, JUNE[29]), (Span.PERIOD, JUNE[21]), (Span.MONTH, JUNE_1)):
        assert table(ledger, Subject.NOTIFIED, span, since) == {("notified",): None}


def test_days_without_any_report_are_shown_as_such() -> None:
    ledger = closed(notified_month([0] * 30))

    assert table(ledger, Subject.NOTIFIED, Span.DAY, JUNE_1) == {("notified",): 0}
    assert table(ledger, Subject.NOTIFIED, Span.MONTH, JUNE_1) == {("notified",): 0}
    assert table(ledger, Subject.NOTIFIED, Span.MONTH, JUNE_1, Breakdown.PLACE) == {
        ("all", "notified"): 0
    }


def test_eleven_phones_of_one_province_are_shown_and_one_is_not() -> None:
    for count, shown in ((11, 11), (1, None)):
        ledger = closed(notified_month([count] + [0] * 29))

        by_place = table(ledger, Subject.NOTIFIED, Span.PERIOD, JUNE_1, Breakdown.PLACE)
        assert table(ledger, Subject.NOTIFIED, Span.DAY, JUNE_1) == {("notified",): shown}
        assert {by_place[node, "notified"] for node in ("TO", "Piemonte", "all")} == {shown}


def test_codes_that_came_to_nothing_are_counted_with_those_that_did() -> None:
    uploads = {UploadKey(day, "TO", "0-2", "warned"): 20 for day in JUNE}
    codes = {(day, name): n for day in JUNE for name, n in (("authorised", 40), ("checked", 30))}
    counts = MonthCounts(days=JUNE, uploads=uploads, codes=codes)

    ledger = closed(counts)

    assert table(ledger, Subject.CODES, Span.DAY, JUNE_1) == {("uploaded",): 20}
    assert table(ledger, Subject.CODES, Span.MONTH, JUNE_1) == {
        ("authorised",): 1200,
        ("unchecked",): 300,
        ("checked",): 900,
        ("unsent",): 300,
        ("uploaded",): 600,
    }
    exposures = table(ledger, Subject.CODES, Span.MONTH, JUNE_1, Breakdown.EXPOSURE)
    assert exposures == {("warned", "uploaded"): 600, ("all", "uploaded"): 600}


def test_counters_that_lag_behind_the_uploads_make_no_negative_count() -> None:
    uploads = {UploadKey(JUNE_1, "TO", "0-2", "warned"): 20}
    counts = MonthCounts(days=(JUNE_1,), uploads=uploads, codes={(JUNE_1, "authorised"): 3})

    assert counts.codes_of(JUNE_1) == {"unchecked": 0, "unsent": 0, "uploaded": 20}


def test_a_table_is_decided_once() -> None:
    counts = notified_month([20] * 30).until(JUNE_1)
    ledger = closed(counts)

    with pytest.raises(ValueError, match="decided before"):
        close_day(ledger, counts, territory=small_country(), k_anonymity=K)
