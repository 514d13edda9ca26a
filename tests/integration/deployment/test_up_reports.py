"""Operational Info under ``immuni up``: genuine phones are those that its own stand-in attests."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest

from immuni.api import Platform, ProvinceCode
from immuni.app.phone import Phone
from immuni.ble import VirtualAir
from immuni.clock import SystemClock
from immuni.demo.others import OtherPeople
from immuni.demo.reports import KeptReport, reports_with_exposure
from immuni.demo.verdict import StoryFailedError
from immuni.deployment.google import VirtualAttestor
from immuni.deployment.layout import Layout
from immuni.deployment.virtual_phones import PAST, PhoneClock, PhoneMaker
from immuni.entropy import SystemEntropy
from immuni.testing.google import PlayIntegrityIssuer
from tests.running import RunningSystem

TODAY = SystemClock().now().date()
ROME, TURIN = ProvinceCode("RM"), ProvinceCode("TO")

pytestmark = pytest.mark.timeout(300)


def people(system: RunningSystem, url: str | None = None) -> OtherPeople:
    return OtherPeople.near(
        Layout(system.data_dir),
        url or system.told["analytics"],
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )


def kept(system: RunningSystem, province: ProvinceCode) -> list[KeptReport]:
    found = asyncio.run(reports_with_exposure(Layout(system.data_dir)))
    return [each for each in found if each.province == province]


def report(people: OtherPeople, count: int, province: ProvinceCode, day: date = TODAY) -> None:
    asyncio.run(people.report(count, province=province, contact_day=day))


def test_as_many_people_as_one_likes_can_report(system: RunningSystem) -> None:
    report(people(system), 11, ROME)

    reports = kept(system, ROME)
    assert [(each.platform, each.contact_day) for each in reports] == [("android", TODAY)] * 11


def test_phones_that_somebody_else_attests_are_not_believed(system: RunningSystem) -> None:
    believed = people(system)
    forger = VirtualAttestor(PlayIntegrityIssuer.make(SystemEntropy()), SystemClock())

    report(OtherPeople(believed.analytics, forger, SystemEntropy()), 2, TURIN)

    assert kept(system, TURIN) == []


def test_people_tell_when_nobody_hears_them(system: RunningSystem) -> None:
    with pytest.raises(StoryFailedError, match="the Analytics Service gave no answer"):
        report(people(system, "http://127.0.0.1:1"), 1, TURIN)
    with pytest.raises(StoryFailedError, match="answered with 404"):
        report(people(system, system.told["get"]), 1, TURIN)


PATIENCE_SECONDS = 60


@asynccontextmanager
async def ios_phone(system: RunningSystem, clock: PhoneClock) -> AsyncIterator[Phone]:
    """Lend a phone that was set up where its clock stands."""
    maker = PhoneMaker(
        layout=Layout(system.data_dir),
        get_url=system.told["get"],
        upload_url=system.told["upload"],
        analytics_url=system.told["analytics"],
        air=VirtualAir(),
        clock=clock,
        entropy=SystemEntropy(),
    )
    phone = (await maker.make("phone-i", platform=Platform.IOS)).phone
    try:
        await phone.set_up(ROME)
        yield phone
    finally:
        await phone.close()
        shutil.rmtree(maker.layout.phones / "phone-i")


async def has_authorised_token(system: RunningSystem) -> bool:
    clock = PhoneClock(SystemClock().now() - PAST)
    async with ios_phone(system, clock) as phone, asyncio.timeout(PATIENCE_SECONDS):
        clock.advance(PAST)
        while True:
            await phone.background_session()
            token = phone.record.analytics.token
            if token is not None and token.is_authorised:
                return True
            await asyncio.sleep(0.5)
            clock.advance(timedelta(hours=4))  # Checks keep their distance by the phone's clock.


def test_a_virtual_ios_phone_has_its_token_authorised(system: RunningSystem) -> None:
    assert asyncio.run(has_authorised_token(system))
