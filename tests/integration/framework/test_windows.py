"""The second model: windows, daily summaries, and keys that are published again."""

from datetime import timedelta

import pytest

from immuni.framework import MAX_WINDOW_DETECTIONS_PER_DAY, DetectionQuotaError
from immuni.keys import ReportType
from immuni.risk import (
    IMMUNI_DEFAULT,
    DailySummariesConfiguration,
    DiagnosisKeysDataMapping,
    Infectiousness,
)
from tests.integration.framework.chunks import SIGNER, chunk, revision
from tests.unit.framework.phones import NOON, World, yes

pytestmark = pytest.mark.anyio

MAPPING = DiagnosisKeysDataMapping(
    days_since_onset_to_infectiousness=dict.fromkeys(range(-14, 15), Infectiousness.STANDARD),
    infectiousness_when_days_since_onset_missing=Infectiousness.STANDARD,
)


async def test_a_meeting_becomes_windows_and_a_daily_summary(
    met: World, summaries: DailySummariesConfiguration
) -> None:
    phone = met.phones["B"]
    published = chunk(await met.phones["A"].tek_history(yes))

    await phone.detect_windows([published], MAPPING)

    windows = phone.exposure_windows()
    assert {window.day for window in windows} == {NOON.date()}
    assert {window.report_type for window in windows} == {ReportType.CONFIRMED_TEST}
    scans = [scan for window in windows for scan in window.scan_instances]
    assert {scan.typical_attenuation_db for scan in scans} == {54}
    assert 1500 <= sum(scan.seconds_since_last_scan for scan in scans) <= 2400
    (summary,) = phone.daily_summaries(summaries)
    assert summary.day == NOON.date()
    assert summary.overall.score_sum == sum(scan.seconds_since_last_scan for scan in scans)


async def test_windows_survive_a_restart_and_go_with_their_day(met: World) -> None:
    phone = met.phones["B"]
    await phone.detect_windows([chunk(await met.phones["A"].tek_history(yes))], MAPPING)
    windows = phone.exposure_windows()
    await met.remove("B")
    phone = await met.add("B")
    assert phone.exposure_windows() == windows

    met.clock.advance(timedelta(days=12))
    await met.live(timedelta(0))

    assert phone.exposure_windows() == []


async def test_a_key_that_is_published_twice_counts_once(met: World) -> None:
    phone = met.phones["B"]
    published = chunk(await met.phones["A"].tek_history(yes))
    await phone.detect_windows([published], MAPPING)
    windows = phone.exposure_windows()

    await phone.detect_windows([published], MAPPING)

    assert phone.exposure_windows() == windows


async def test_a_revoked_key_takes_back_what_it_gave_in_an_earlier_detection(met: World) -> None:
    phone = met.phones["B"]
    history = await met.phones["A"].tek_history(yes)
    await phone.detect_exposures([chunk(history)], IMMUNI_DEFAULT)
    await phone.detect_windows([chunk(history)], MAPPING)
    assert phone.exposure_windows()
    assert await phone.exposure_info(yes)

    summary = await phone.detect_exposures([revision(history, ReportType.REVOKED)], IMMUNI_DEFAULT)

    assert summary.matched_key_count == 0
    assert phone.exposure_windows() == []
    assert await phone.exposure_info(yes) == []


async def test_a_key_that_was_revoked_once_gives_nothing_when_it_is_published_again(
    met: World,
) -> None:
    phone = met.phones["B"]
    history = await met.phones["A"].tek_history(yes)
    await phone.detect_exposures([revision(history, ReportType.REVOKED)], IMMUNI_DEFAULT)
    await met.remove("B")
    phone = await met.add("B", keys=[SIGNER.verification_key])

    summary = await phone.detect_exposures([chunk(history)], IMMUNI_DEFAULT)
    await phone.detect_windows([revision(history, ReportType.CONFIRMED_TEST)], MAPPING)

    assert summary.matched_key_count == 0
    assert await phone.exposure_info(yes) == []
    assert phone.exposure_windows() == []


async def test_a_better_report_takes_the_place_of_the_former_and_a_worse_one_does_not(
    met: World,
) -> None:
    phone = met.phones["B"]
    history = await met.phones["A"].tek_history(yes)
    types = []
    for report_type in (
        ReportType.SELF_REPORT,
        ReportType.CONFIRMED_TEST,
        ReportType.CONFIRMED_CLINICAL_DIAGNOSIS,
    ):
        await phone.detect_windows([revision(history, report_type)], MAPPING)
        types.append({window.report_type for window in phone.exposure_windows()})

    assert types == [
        {ReportType.SELF_REPORT},
        {ReportType.CONFIRMED_TEST},
        {ReportType.CONFIRMED_TEST},
    ]


async def test_the_second_model_has_a_smaller_limit_of_its_own(world: World) -> None:
    phone = await world.add_active("phone")
    for _ in range(MAX_WINDOW_DETECTIONS_PER_DAY):
        await phone.detect_windows([], MAPPING)

    with pytest.raises(DetectionQuotaError, match="6"):
        await phone.detect_windows([], MAPPING)
    assert (await phone.detect_exposures([], IMMUNI_DEFAULT)).matched_key_count == 0


async def test_no_published_key_is_kept_for_the_second_model_either(met: World) -> None:
    history = await met.phones["A"].tek_history(yes)

    await met.phones["B"].detect_windows([chunk(history)], MAPPING)

    assert not any(met.stores["B"].contains_bytes(tek.key_data) for tek in history)


@pytest.fixture
def summaries() -> DailySummariesConfiguration:
    """Every second counts as one."""
    return DailySummariesConfiguration(
        attenuation_thresholds_db=(30, 55, 70),
        attenuation_weights=(1, 1, 1, 1),
        report_type_weights={ReportType.CONFIRMED_TEST: 1},
        infectiousness_weights=dict.fromkeys(Infectiousness, 1),
    )
