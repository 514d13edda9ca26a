"""What an upload consists of. Pure.

Source:
    Mobile Client, "Upload".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from immuni.api import (
    ConfigurationSettings,
    ExposureDetectionSummaryUpload,
    ExposureInfoUpload,
    ProvinceCode,
    Tek,
    Upload,
)
from immuni.app.record import StoredSummary
from immuni.keys import TemporaryExposureKey, day_of

MAX_KEYS: Final = 14
WINDOW: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class UploadContents:
    """What the user can look at before it is sent: counts and days, never a key.

    Attributes:
        key_count: How many keys.
        first_day: Day of the oldest key, None where there is no key.
        last_day: Day of the newest key.
        province: The Province of Domicile.
        summary_count: How many outcomes of detections.
        info_count: How many single Exposures.
    """

    key_count: int
    first_day: date | None
    last_day: date | None
    province: ProvinceCode
    summary_count: int
    info_count: int


def newest_keys(keys: Sequence[TemporaryExposureKey]) -> tuple[TemporaryExposureKey, ...]:
    """Return the 14 most recent of `keys`, newest first."""
    newest_first = sorted(keys, key=lambda key: key.rolling_end_number, reverse=True)
    return tuple(newest_first[:MAX_KEYS])


def build_upload(
    keys: Sequence[TemporaryExposureKey],
    summaries: Sequence[StoredSummary],
    *,
    province: ProvinceCode,
    today: date,
    settings: ConfigurationSettings,
) -> Upload:
    """Compose the body of an upload, without padding.

    Args:
        keys: The keys to send.
        summaries: Outcomes of detections, oldest first.
        province: The Province of Domicile.
        today: The UTC day of the upload; days are counted from it anew.
        settings: Limit the number of summaries and infos.
    """
    recent = [each for each in summaries if _is_recent(each.last_exposure_day, today)]
    chosen = recent[: settings.teks_max_summary_count]
    kept = _best_infos(chosen, today=today, limit=settings.teks_max_info_count)
    return Upload(
        teks=tuple(Tek.of(key) for key in keys),
        province=province,
        exposure_detection_summaries=tuple(
            _summary(each, infos, today=today) for each, infos in zip(chosen, kept, strict=True)
        ),
    )


def describe(upload: Upload) -> UploadContents:
    """Return what the user can look at of an upload."""
    days = [day_of(each.key().rolling_start_number) for each in upload.teks]
    summaries = upload.exposure_detection_summaries
    return UploadContents(
        key_count=len(days),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        province=ProvinceCode(upload.province),
        summary_count=len(summaries),
        info_count=sum(len(each.exposure_info) for each in summaries),
    )


def _best_infos(
    summaries: Sequence[StoredSummary], *, today: date, limit: int
) -> list[tuple[ExposureInfoUpload, ...]]:
    """Choose infos by score descending, then day ascending, and put them back in their places."""
    places = [
        (place, info)
        for place, each in enumerate(summaries)
        for info in each.infos
        if _is_recent(info.date, today)
    ]
    best = sorted(places, key=lambda found: (-found[1].total_risk_score, found[1].date))[:limit]
    return [
        tuple(info for where, info in best if where == place) for place in range(len(summaries))
    ]


def _summary(
    stored: StoredSummary, infos: tuple[ExposureInfoUpload, ...], *, today: date
) -> ExposureDetectionSummaryUpload:
    return ExposureDetectionSummaryUpload(
        date=stored.detected_on,
        matched_key_count=stored.matched_key_count,
        days_since_last_exposure=max(0, (today - stored.last_exposure_day).days),
        attenuation_durations=stored.attenuation_durations,
        maximum_risk_score=stored.maximum_risk_score,
        exposure_info=infos,
    )


def _is_recent(day: date, today: date) -> bool:
    return today - day <= WINDOW
