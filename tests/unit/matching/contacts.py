"""Keys and what is heard of their phones, for tests."""

from datetime import UTC, date, datetime, timedelta

from immuni.crypto import (
    DEFAULT_METADATA_VERSION,
    BluetoothMetadata,
    derive_aemk,
    derive_rpik,
    encrypt_metadata,
    generate_rpi,
)
from immuni.keys import (
    DiagnosisKey,
    ENIntervalNumber,
    ReportType,
    TemporaryExposureKey,
    first_interval_of,
    start_of,
)
from immuni.matching import Sighting

DAY = date(2020, 6, 17)
FIRST = first_interval_of(DAY)
MIDNIGHT = datetime(2020, 6, 17, tzinfo=UTC)
NOON = ENIntervalNumber(FIRST + 72)


def a_key(
    first_byte: int = 1,
    *,
    rolling_period: int = 144,
    report_type: ReportType = ReportType.CONFIRMED_TEST,
) -> DiagnosisKey:
    """Return a diagnosis key of the day."""
    tek = TemporaryExposureKey(bytes([first_byte]) * 16, FIRST, rolling_period)
    return DiagnosisKey(tek, 4, report_type, 1)


def heard(
    key: DiagnosisKey,
    interval: ENIntervalNumber = NOON,
    *,
    after: timedelta = timedelta(),
    tx_power_dbm: int = -10,
    version: int = DEFAULT_METADATA_VERSION,
    rssi_dbm: int = -64,
    usable: bool = True,
    since_scan: timedelta | None = None,
) -> Sighting:
    """Return what is heard of `key`'s phone `after` the start of `interval`."""
    rpi = generate_rpi(derive_rpik(key.tek), interval)
    metadata = BluetoothMetadata(version=version, tx_power_dbm=tx_power_dbm)
    aem = encrypt_metadata(derive_aemk(key.tek), rpi, metadata)
    return Sighting(rpi, aem if usable else None, rssi_dbm, start_of(interval) + after, since_scan)
