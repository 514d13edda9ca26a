"""What a finished check changes in the App's memory. Pure.

Source:
    Mobile Client, "Background session" and "States of the user".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from immuni.api import ConfigurationSettings, ExposureInfoUpload
from immuni.app.notifications import Notification, NotificationKind
from immuni.app.record import AppRecord, PastExposure, StoredSummary
from immuni.app.sent import SENT_RETENTION
from immuni.app.state import AtRisk, Positive, UserState, after_contact, is_news, on_day
from immuni.risk import ExposureDetectionSummary, ExposureInfo

SUMMARY_RETENTION: Final = timedelta(days=14)
HISTORY_RETENTION: Final = timedelta(days=28)
"""From the contact on: twice as long as it keeps a user at risk, so that it can be read again."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What the framework found in one call.

    Attributes:
        summary: Of everything that matched.
        infos: The single Exposures; empty where the maximum score stayed below the threshold.
    """

    summary: ExposureDetectionSummary
    infos: tuple[ExposureInfo, ...] = ()


def calls_for_infos(
    record: AppRecord, summary: ExposureDetectionSummary, settings: ConfigurationSettings
) -> bool:
    """Tell whether a summary is grave enough to ask for infos and to warn.

    Never for a positive user: there is nothing that they could do with it.
    """
    if isinstance(record.user, Positive) or not summary.matched_key_count:
        return False
    # Of what is too old to act upon the user is not told, so the App may not learn of it either.
    if summary.days_since_last_exposure >= timedelta(seconds=settings.risk_duration).days:
        return False
    return summary.maximum_risk_score >= settings.exposure_info_minimum_risk_score


def after_detection(record: AppRecord, detection: Detection, *, now: datetime) -> AppRecord:
    """Return the memory with the outcome of a detection in it, and the user warned where due."""
    if isinstance(record.user, Positive) or not detection.summary.matched_key_count:
        return record
    record = replace(record, summaries=(*record.summaries, _stored(detection, now)))
    risky = _risky(detection.infos, record.settings.values, today=_day(now))
    return _warned(record, risky, now=now) if risky else record


def purged(record: AppRecord, *, now: datetime) -> AppRecord:
    """Return the memory without what is too old, and the user at risk no longer than due."""
    today = _day(now)
    risk_duration = timedelta(seconds=record.settings.values.risk_duration)
    user = on_day(record.user, today, risk_duration=risk_duration)
    return replace(
        record,
        user=user,
        unseen=record.unseen if _still_stands(record.unseen, user, now) else None,
        summaries=tuple(
            each for each in record.summaries if today - each.detected_on < SUMMARY_RETENTION
        ),
        history=tuple(each for each in record.history if today - each.day < HISTORY_RETENTION),
        sent=tuple(each for each in record.sent if today - each.day < SENT_RETENTION),
        notifications=tuple(
            each for each in record.notifications if now - each.at < SUMMARY_RETENTION
        ),
    )


def notified(record: AppRecord, notification: Notification) -> AppRecord:
    """Return the memory with one more notification, which now stands on the screen."""
    return replace(
        record,
        notifications=(*record.notifications, notification),
        unseen=notification,
    )


def _warned(record: AppRecord, risky: Sequence[ExposureInfo], *, now: datetime) -> AppRecord:
    contact_day = max(info.day for info in risky)
    contacts = tuple(_past(info) for info in risky)
    latest_first = sorted((*record.history, *contacts), key=lambda each: each.day, reverse=True)
    warned = replace(
        record, user=after_contact(record.user, contact_day), history=tuple(latest_first)
    )
    if not is_news(record.user, contact_day):
        return warned
    warning = Notification(kind=NotificationKind.RISK, at=now, contact_day=contact_day)
    return replace(notified(warned, warning), is_warning_seen=False)


def _still_stands(unseen: Notification | None, user: UserState, now: datetime) -> bool:
    if unseen is None or now - unseen.at >= SUMMARY_RETENTION:
        return False
    return isinstance(user, AtRisk) or unseen.contact_day is None


def _risky(
    infos: Sequence[ExposureInfo], settings: ConfigurationSettings, *, today: date
) -> tuple[ExposureInfo, ...]:
    """Return the infos to warn of: at or above the threshold, and not too old to act upon."""
    threshold = settings.exposure_info_minimum_risk_score
    oldest = today - timedelta(seconds=settings.risk_duration)
    return tuple(info for info in infos if info.total_risk_score >= threshold and info.day > oldest)


def _stored(detection: Detection, now: datetime) -> StoredSummary:
    summary = detection.summary
    today = _day(now)
    return StoredSummary(
        detected_on=today,
        matched_key_count=summary.matched_key_count,
        last_exposure_day=today - timedelta(days=summary.days_since_last_exposure),
        attenuation_durations=summary.attenuation_durations_seconds,
        maximum_risk_score=summary.maximum_risk_score,
        infos=tuple(_uploadable(info) for info in detection.infos),
    )


def _uploadable(info: ExposureInfo) -> ExposureInfoUpload:
    return ExposureInfoUpload(
        date=info.day,
        duration=info.duration_seconds,
        attenuation_value=info.attenuation_db,
        attenuation_durations=info.attenuation_durations_seconds,
        transmission_risk_level=info.transmission_risk_level,
        total_risk_score=info.total_risk_score,
    )


def _past(info: ExposureInfo) -> PastExposure:
    return PastExposure(
        day=info.day,
        duration_seconds=info.duration_seconds,
        attenuation_db=info.attenuation_db,
    )


def _day(now: datetime) -> date:
    return now.astimezone(UTC).date()
