from datetime import timedelta

import pytest

from immuni.api import ConfigurationSettings
from immuni.app.decision import Detection, after_detection, calls_for_infos, purged
from immuni.app.notifications import Notification, NotificationKind
from immuni.app.record import AppRecord, PastExposure
from immuni.app.state import AtRisk, Neutral, Positive
from tests.unit.app.records import NOW, TODAY, a_detection, a_summary, an_info, days_ago

SETTINGS = ConfigurationSettings()


@pytest.mark.parametrize(("score", "calls"), [(19, False), (20, True), (4096, True)])
def test_infos_are_asked_for_at_the_threshold_and_above(score: int, *, calls: bool) -> None:
    summary = a_detection(an_info(day=days_ago(1), score=score)).summary

    assert calls_for_infos(AppRecord(), summary, SETTINGS) == calls


def test_infos_are_never_asked_for_a_positive_user() -> None:
    summary = a_detection(an_info(day=days_ago(1), score=4096)).summary

    assert not calls_for_infos(AppRecord(user=Positive(TODAY)), summary, SETTINGS)


def test_a_detection_that_matches_nothing_changes_nothing() -> None:
    assert after_detection(AppRecord(), a_detection(matched=0), now=NOW) == AppRecord()


def test_a_match_below_the_threshold_is_kept_and_warns_nobody() -> None:
    detection = Detection(a_detection(an_info(day=days_ago(1), score=5)).summary)

    record = after_detection(AppRecord(), detection, now=NOW)

    (summary,) = record.summaries
    assert (summary.maximum_risk_score, summary.last_exposure_day) == (5, days_ago(1))
    assert summary.infos == ()
    assert record.user == Neutral()
    assert record.notifications == ()


def test_a_risky_exposure_warns_with_the_latest_risky_day() -> None:
    infos = (
        an_info(day=days_ago(1), score=19),
        an_info(day=days_ago(3), score=25),
        an_info(day=days_ago(5), score=25),
    )

    record = after_detection(AppRecord(), a_detection(*infos), now=NOW)

    assert record.user == AtRisk(days_ago(3))
    assert record.unseen == Notification(
        kind=NotificationKind.RISK, at=NOW, contact_day=days_ago(3)
    )
    assert not record.is_warning_seen
    assert [each.day for each in record.history] == [days_ago(3), days_ago(5)]
    assert len(record.summaries[0].infos) == 3


def test_a_later_contact_is_told_although_the_user_is_at_risk_already() -> None:
    known = AppRecord(user=AtRisk(days_ago(5)))

    record = after_detection(known, a_detection(an_info(day=days_ago(2))), now=NOW)

    assert record.user == AtRisk(days_ago(2))
    assert [each.kind for each in record.notifications] == [NotificationKind.RISK]


@pytest.mark.parametrize("age", [5, 6])
def test_an_earlier_contact_joins_the_history_without_a_second_warning(age: int) -> None:
    known = AppRecord(user=AtRisk(days_ago(5)))

    record = after_detection(known, a_detection(an_info(day=days_ago(age))), now=NOW)

    assert record.user == AtRisk(days_ago(5))
    assert record.notifications == ()
    assert len(record.history) == 1


def test_a_positive_user_keeps_neither_summary_nor_contact() -> None:
    positive = AppRecord(user=Positive(days_ago(1)))

    assert after_detection(positive, a_detection(an_info(day=days_ago(2))), now=NOW) == positive


def test_a_contact_too_old_to_act_upon_warns_nobody() -> None:
    record = after_detection(AppRecord(), a_detection(an_info(day=days_ago(14))), now=NOW)

    assert record.user == Neutral()
    assert record.notifications == ()


def test_purging_keeps_a_fortnight_of_summaries_and_four_weeks_of_history() -> None:
    record = AppRecord(
        summaries=(a_summary(detected_on=days_ago(14)), a_summary(detected_on=days_ago(13))),
        history=tuple(
            PastExposure(day=days_ago(age), duration_seconds=900, attenuation_db=40)
            for age in (27, 28)
        ),
        notifications=tuple(
            Notification(kind=NotificationKind.RISK, at=NOW - timedelta(days=age))
            for age in (14, 13)
        ),
    )

    kept = purged(record, now=NOW)

    assert [each.detected_on for each in kept.summaries] == [days_ago(13)]
    assert [each.day for each in kept.history] == [days_ago(27)]
    assert [each.at for each in kept.notifications] == [NOW - timedelta(days=13)]


def test_purging_ends_a_risk_that_is_over() -> None:
    assert purged(AppRecord(user=AtRisk(days_ago(14))), now=NOW).user == Neutral()
    assert purged(AppRecord(user=AtRisk(days_ago(13))), now=NOW).user == AtRisk(days_ago(13))


@pytest.mark.parametrize(("age", "calls"), [(13, True), (14, False)])
def test_the_app_learns_nothing_of_what_is_too_old_to_be_told(age: int, *, calls: bool) -> None:
    summary = a_detection(an_info(day=days_ago(age), score=25)).summary

    assert calls_for_infos(AppRecord(), summary, SETTINGS) == calls


def test_purging_takes_a_warning_that_is_over_off_the_screen() -> None:
    warning = Notification(kind=NotificationKind.RISK, at=NOW, contact_day=days_ago(20))
    standing = Notification(kind=NotificationKind.RISK, at=NOW, contact_day=days_ago(2))

    over = purged(AppRecord(user=AtRisk(days_ago(20)), unseen=warning), now=NOW)
    still = purged(AppRecord(user=AtRisk(days_ago(2)), unseen=standing), now=NOW)

    assert over.unseen is None
    assert still.unseen == standing
