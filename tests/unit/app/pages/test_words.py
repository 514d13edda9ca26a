from datetime import date

import pytest

from immuni.app.notifications import Notification, NotificationKind
from immuni.app.pages.language import LANGUAGES, language_of
from immuni.app.pages.remedies import REMEDIES
from immuni.app.pages.words import (
    closeness_text,
    failure_text,
    issue_text,
    length_text,
    notification_message,
    problem_message,
    sent_message,
    system_message,
)
from immuni.app.record import CheckFailure, PastExposure
from immuni.app.sent import Sent, SentKind
from immuni.app.status import ServiceIssue
from immuni.app.system import SystemFault
from immuni.app.transport import ServerUnreachableError
from immuni.app.upload_errors import UploadError, UploadOrderError
from immuni.framework import StoreError
from tests.unit.app.records import NOW

ENGLISH = language_of("en")


def contact(*, minutes: int = 15, attenuation_db: int = 45) -> PastExposure:
    return PastExposure(
        day=date(2020, 6, 8), duration_seconds=minutes * 60, attenuation_db=attenuation_db
    )


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_fact_has_words_in_every_language(code: str) -> None:
    language = language_of(code)

    assert all(issue_text(issue, language) for issue in ServiceIssue)
    assert all(failure_text(failure, language) for failure in CheckFailure)
    assert all(
        notification_message(Notification(kind=kind, at=NOW), language) for kind in NotificationKind
    )


def test_for_every_reason_there_is_a_page_that_helps() -> None:
    # The end of the service has a page of its own, and is not to be helped.
    assert set(REMEDIES) == set(ServiceIssue) - {ServiceIssue.SERVICE_ENDED}
    # Whatever the App cannot do itself, it explains step by step, but for what a store does.
    by_hand = {issue for issue, remedy in REMEDIES.items() if not remedy.is_done_by_app}
    assert all(REMEDIES[issue].hints for issue in by_hand - {ServiceIssue.UPDATE_REQUIRED})


def test_whatever_is_too_old_has_words() -> None:
    assert all(system_message(fault, ENGLISH).text for fault in SystemFault)


def test_whatever_can_be_sent_is_told_in_words() -> None:
    assert all(sent_message(Sent(NOW.date(), kind), ENGLISH).text for kind in SentKind)


def test_everything_that_can_stop_an_upload_has_words() -> None:
    # A step out of order is no fault of the user: the pages lead to the right one.
    problems = {*UploadError.__subclasses__(), ServerUnreachableError, StoreError} - {
        UploadOrderError
    }

    assert all(problem_message(problem, ENGLISH) for problem in problems)


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(5, "about 5 minutes"), (25, "about 25 minutes"), (30, "30 minutes or longer")],
)
def test_half_an_hour_stands_for_anything_longer(minutes: int, text: str) -> None:
    assert length_text(contact(minutes=minutes), ENGLISH) == text


@pytest.mark.parametrize(
    ("attenuation_db", "text"),
    [(0, "very near"), (51, "very near"), (52, "near"), (63, "near"), (64, "a few metres")],
)
def test_distance_is_told_no_finer_than_radio_can(attenuation_db: int, text: str) -> None:
    assert closeness_text(contact(attenuation_db=attenuation_db), ENGLISH) == text
