"""Reports as the tests make them."""

from collections.abc import Sequence
from datetime import date

import psycopg

from immuni.api import Platform, ProvinceCode
from immuni.api.encoding import Salt
from immuni.backend.analytics.accepting import Report
from immuni.backend.analytics.rules import OperationalRecord, first_of_month
from immuni.backend.analytics.store import TokenClaim, token_hash
from immuni.deployment.databases import AnalyticsDatabase

DAY = date(2020, 6, 20)


def token(number: int) -> str:
    """Return an analytics token."""
    return f"{number:0128x}"


def from_ios(
    number: int, *, with_exposure: bool = True, province: str = "CH", day: date = DAY
) -> Report:
    """Return a report for which a token is to vouch."""
    record = _record(Platform.IOS, province, day, with_exposure=with_exposure)
    return Report(record, TokenClaim(token(number), with_exposure=with_exposure))


def from_android(number: int, *, province: str = "CH", day: date = DAY) -> Report:
    """Return a report for which an attestation vouches, known by its salt."""
    record = _record(Platform.ANDROID, province, day, with_exposure=True)
    return Report(record, Salt(number.to_bytes(16, "big")))


def authorise(database: AnalyticsDatabase, numbers: Sequence[int], *, day: date = DAY) -> None:
    """Have tokens authorised in the month of a day."""
    with psycopg.connect(database.owner) as owner, owner.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO analytics.token VALUES (%s, %s)",
            [(token_hash(token(each)), first_of_month(day)) for each in numbers],
        )


def count(database: AnalyticsDatabase, table: str) -> int:
    """Return how many rows a table has."""
    with psycopg.connect(database.owner) as owner:
        row = owner.execute(f"SELECT count(*) FROM analytics.{table}").fetchone()  # noqa: S608 - the tests' own names
    assert row is not None
    return int(row[0])


def _record(
    platform: Platform, province: str, day: date, *, with_exposure: bool
) -> OperationalRecord:
    return OperationalRecord(
        received_on=day,
        platform=platform,
        province=ProvinceCode(province),
        exposure_permission=True,
        bluetooth_active=True,
        notification_permission=False,
        exposure_notification=with_exposure,
        last_risky_exposure_on=day if with_exposure else None,
        build=7,
    )
