"""Values that tests of the App's decisions need."""

from datetime import UTC, date, datetime, timedelta

from immuni.api import ExposureInfoUpload
from immuni.app.decision import Detection
from immuni.app.record import StoredSummary
from immuni.keys import TemporaryExposureKey, first_interval_of
from immuni.risk import ExposureDetectionSummary, ExposureInfo

NOW = datetime(2020, 6, 20, 12, tzinfo=UTC)
TODAY = NOW.date()


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def an_info(*, day: date, score: int = 25) -> ExposureInfo:
    return ExposureInfo(
        day=day,
        duration_seconds=1500,
        attenuation_db=45,
        attenuation_durations_seconds=(1200, 300, 0),
        transmission_risk_level=1,
        total_risk_score=score,
    )


def a_detection(*infos: ExposureInfo, matched: int | None = None) -> Detection:
    summary = ExposureDetectionSummary(
        matched_key_count=len(infos) if matched is None else matched,
        days_since_last_exposure=min(((TODAY - info.day).days for info in infos), default=0),
        attenuation_durations_seconds=(1200, 300, 0),
        maximum_risk_score=max((info.total_risk_score for info in infos), default=0),
        risk_score_sum=sum(info.total_risk_score for info in infos),
    )
    return Detection(summary, infos)


def an_uploadable(*, day: date, score: int = 25) -> ExposureInfoUpload:
    return ExposureInfoUpload(
        date=day,
        duration=1500,
        attenuation_value=45,
        attenuation_durations=(1200, 300, 0),
        transmission_risk_level=1,
        total_risk_score=score,
    )


def a_summary(
    *,
    detected_on: date = TODAY,
    last_exposure_day: date = TODAY - timedelta(days=2),
    infos: tuple[ExposureInfoUpload, ...] = (),
) -> StoredSummary:
    return StoredSummary(
        detected_on=detected_on,
        matched_key_count=1,
        last_exposure_day=last_exposure_day,
        attenuation_durations=(1200, 300, 0),
        maximum_risk_score=25,
        infos=infos,
    )


def a_key(*, day: date, number: int = 0, period: int = 144) -> TemporaryExposureKey:
    data = day.toordinal().to_bytes(8) + number.to_bytes(8)
    return TemporaryExposureKey(data, first_interval_of(day), period)
