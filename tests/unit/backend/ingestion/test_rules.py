from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from immuni.api.encoding import KeyData
from immuni.api.ingestion import ExposureDetectionSummaryUpload, ExposureInfoUpload, Tek, Upload
from immuni.api.provinces import UnknownProvinceError, italy
from immuni.backend.errors import InvalidRequestError
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS, Diagnosis
from immuni.backend.ingestion.rules import keys_to_keep, vet
from immuni.keys import (
    ENIntervalNumber,
    TemporaryExposureKey,
    first_interval_of,
    interval_at,
)

NOW = datetime(2020, 6, 20, 12, tzinfo=UTC)
SKEW = timedelta(hours=24)


def upload_of(
    *teks: Tek,
    province: str = "FM",
    summaries: tuple[ExposureDetectionSummaryUpload, ...] = (),
) -> Upload:
    return Upload(teks=teks, province=province, exposure_detection_summaries=summaries)


def tek(start: int, period: int = 144) -> Tek:
    return Tek(key_data=KeyData(bytes(16)), rolling_start_number=start, rolling_period=period)


def summary(day: date, *, exposed_on: date) -> ExposureDetectionSummaryUpload:
    info = ExposureInfoUpload(
        date=exposed_on,
        duration=300,
        attenuation_value=45,
        attenuation_durations=(300, 0, 0),
        transmission_risk_level=8,
        total_risk_score=4096,
    )
    return ExposureDetectionSummaryUpload(
        date=day,
        matched_key_count=1,
        days_since_last_exposure=1,
        attenuation_durations=(300, 0, 0),
        maximum_risk_score=4096,
        exposure_info=(info,),
    )


def vet_at(upload: Upload, *, now: datetime = NOW, client_clock: datetime | None = None) -> None:
    vet(
        upload,
        now=now,
        client_clock=client_clock or now,
        max_clock_skew=SKEW,
        territory=italy(),
    )


@dataclass(frozen=True)
class Edge:
    """The last key that is accepted, and the first that is not."""

    accepted: Tek
    refused: Tek


FUTURE = Edge(
    tek(interval_at(NOW + timedelta(hours=2))), tek(interval_at(NOW + timedelta(hours=2)) + 1)
)
PAST = Edge(
    tek(interval_at(NOW - timedelta(days=15)) - 144),
    tek(interval_at(NOW - timedelta(days=15)) - 145),
)


@pytest.mark.parametrize("edge", [FUTURE, PAST], ids=["future", "past"])
def test_a_key_starts_within_two_hours_and_ended_within_fifteen_days(edge: Edge) -> None:
    vet_at(upload_of(edge.accepted))

    with pytest.raises(InvalidRequestError, match="teks"):
        vet_at(upload_of(edge.refused))


@pytest.mark.parametrize("edge", [FUTURE, PAST], ids=["future", "past"])
@pytest.mark.parametrize("skew", [-SKEW, timedelta(minutes=-7), timedelta(minutes=7), SKEW])
def test_keys_are_as_old_as_the_phone_believes(edge: Edge, skew: timedelta) -> None:
    received = NOW - skew

    vet_at(upload_of(edge.accepted), now=received, client_clock=NOW)

    with pytest.raises(InvalidRequestError, match="teks"):
        vet_at(upload_of(edge.refused), now=received, client_clock=NOW)


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_clock_further_off_than_a_day_is_refused(sign: int) -> None:
    with pytest.raises(InvalidRequestError, match="clock"):
        vet_at(upload_of(), client_clock=NOW + sign * (SKEW + timedelta(seconds=1)))


def test_a_key_of_a_year_that_no_calendar_has_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="future"):
        vet_at(upload_of(tek(2**31 - 1)))


def test_an_upload_may_hold_no_key() -> None:
    vet_at(upload_of())


@pytest.mark.parametrize("province", ["XX", "ZZ"])
def test_a_province_of_no_territory_is_refused(province: str) -> None:
    with pytest.raises(UnknownProvinceError, match="province"):
        vet_at(upload_of(province=province))


@pytest.mark.parametrize("province", ["RM", "EX"])
def test_a_province_and_abroad_are_accepted(province: str) -> None:
    vet_at(upload_of(province=province))


@pytest.mark.parametrize(
    ("day", "accepted"),
    [
        (date(2020, 6, 22), False),
        (date(2020, 6, 21), True),
        (date(2020, 6, 5), True),
        (date(2020, 6, 4), False),
    ],
)
@pytest.mark.parametrize("place", ["summary", "info"])
def test_exposures_are_of_the_last_fifteen_days(day: date, place: str, *, accepted: bool) -> None:
    known = date(2020, 6, 20)
    one = summary(
        day if place == "summary" else known, exposed_on=day if place == "info" else known
    )
    upload = upload_of(summaries=(one,))

    if accepted:
        vet_at(upload)
    else:
        with pytest.raises(InvalidRequestError, match="date"):
            vet_at(upload)


def test_keys_of_days_without_infectiousness_are_not_kept() -> None:
    onset = date(2020, 6, 10)
    keys = [
        TemporaryExposureKey(bytes(16), first_interval_of(onset + timedelta(days=offset)))
        for offset in range(-5, 20)
    ]

    kept = keys_to_keep(keys, Diagnosis(onset, None), DEFAULT_INFECTIOUSNESS)

    first = first_interval_of(onset - timedelta(days=2))
    assert [key.rolling_start_number for key in kept] == [
        ENIntervalNumber(first + 144 * day) for day in range(17)
    ]
