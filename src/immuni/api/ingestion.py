"""What phones send to the Exposure Ingestion Service.

Source:
    HTTP API, "Exposure Ingestion".
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Self

from msgspec import UNSET, Meta, UnsetType

from immuni.api.encoding import KeyData
from immuni.api.limits import (
    MAX_ATTENUATION_DB,
    MAX_ATTENUATION_DURATION_SECONDS,
    MAX_COUNT,
    MAX_COUNTRIES_OF_INTEREST,
    MAX_DAYS_SINCE_LAST_EXPOSURE,
    MAX_INFOS,
    MAX_KEYS_WITH_ONE_START,
    MAX_PADDING_SIZE,
    MAX_SUMMARIES,
    MAX_TEKS_PER_UPLOAD,
    MAX_TOTAL_RISK_SCORE,
    MAX_TRANSMISSION_RISK_LEVEL,
)
from immuni.api.messages import Request, check_padding
from immuni.keys import TEK_ROLLING_PERIOD, ENIntervalNumber, TemporaryExposureKey

Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Score = Annotated[int, Meta(ge=0, le=MAX_TOTAL_RISK_SCORE)]
Seconds = Annotated[int, Meta(ge=0, le=MAX_ATTENUATION_DURATION_SECONDS)]
AttenuationDurations = Annotated[tuple[Seconds, ...], Meta(min_length=3, max_length=4)]
"""Seconds in each of three or four attenuation ranges, nearest first."""
CapitalPair = Annotated[str, Meta(pattern=r"^[A-Z]{2}$(?!\n)")]
"""A province or a country; whether it exists is asked of the territory."""
Padding = Annotated[
    str,
    Meta(
        extra_json_schema={"pattern": r"^[A-Za-z0-9]*$(?!\n)", "maxLength": MAX_PADDING_SIZE},
        description="Fills the request up to one size.",
    ),
]


class CheckOtp(Request, frozen=True, kw_only=True):
    """Body of ``POST /v1/ingestion/check-otp``; the OTP travels in the bearer."""

    padding: Padding = ""

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        check_padding(self.padding)


class Tek(Request, frozen=True, kw_only=True, gc=False):
    """One TEK of an upload.

    Attributes:
        key_data: The key's 16 bytes.
        rolling_start_number: First interval in which it is valid, as the phone has it.
        rolling_period: Number of intervals for which it is valid.
    """

    key_data: KeyData
    rolling_start_number: Annotated[int, Meta(ge=0, le=MAX_COUNT)]
    rolling_period: Annotated[int, Meta(ge=1, le=TEK_ROLLING_PERIOD)] = TEK_ROLLING_PERIOD

    @classmethod
    def of(cls, key: TemporaryExposureKey) -> Self:
        """Return the form in which `key` is uploaded."""
        return cls(
            key_data=KeyData(key.key_data),
            rolling_start_number=key.rolling_start_number,
            rolling_period=key.rolling_period,
        )

    def key(self) -> TemporaryExposureKey:
        """Return the key itself."""
        return TemporaryExposureKey(
            bytes(self.key_data), ENIntervalNumber(self.rolling_start_number), self.rolling_period
        )


class ExposureInfoUpload(Request, frozen=True, kw_only=True):
    """One Exposure, as it is uploaded; durations in seconds, attenuation in dB."""

    date: date
    duration: Seconds
    attenuation_value: Annotated[int, Meta(ge=0, le=MAX_ATTENUATION_DB)]
    attenuation_durations: AttenuationDurations
    transmission_risk_level: Annotated[int, Meta(ge=0, le=MAX_TRANSMISSION_RISK_LEVEL)]
    total_risk_score: Score


class ExposureDetectionSummaryUpload(Request, frozen=True, kw_only=True):
    """The outcome of one detection, as it is uploaded."""

    date: date
    matched_key_count: Count
    days_since_last_exposure: Annotated[int, Meta(ge=0, le=MAX_DAYS_SINCE_LAST_EXPOSURE)]
    attenuation_durations: AttenuationDurations
    maximum_risk_score: Score
    exposure_info: tuple[ExposureInfoUpload, ...] = ()


class Upload(Request, frozen=True, kw_only=True):
    """Body of ``POST /v1/ingestion/upload``.

    What needs the time of day or the territory is checked by the service: how old keys and days
    may be, and whether the province exists.
    """

    teks: Annotated[tuple[Tek, ...], Meta(max_length=MAX_TEKS_PER_UPLOAD)]
    province: CapitalPair
    exposure_detection_summaries: Annotated[
        tuple[ExposureDetectionSummaryUpload, ...], Meta(max_length=MAX_SUMMARIES)
    ] = ()
    countries_of_interest: (
        Annotated[tuple[CapitalPair, ...], Meta(max_length=MAX_COUNTRIES_OF_INTEREST)] | UnsetType
    ) = UNSET
    padding: Padding = ""

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        check_padding(self.padding)
        _check_teks(self.teks)
        if sum(len(each.exposure_info) for each in self.exposure_detection_summaries) > MAX_INFOS:
            raise ValueError("exposure infos too many")


def _check_teks(teks: Sequence[Tek]) -> None:
    """Refuse keys that no phone can have had at the same time.

    Raises:
        ValueError: Two are equal, two with different starts overlap, or too many share a start.
    """
    if len({tek.key_data for tek in teks}) != len(teks):
        raise ValueError("teks not distinct")
    spans = sorted((tek.rolling_start_number, tek.rolling_period) for tek in teks)
    alike = 1
    for (start, period), (next_start, _) in pairwise(spans):
        alike = alike + 1 if next_start == start else 1
        if alike > MAX_KEYS_WITH_ONE_START:
            raise ValueError("teks with one start too many")
        if start < next_start < start + period:
            raise ValueError("teks overlap")
