"""The *phones* role: two virtual phones, each with the pages of its App on a port of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Final

from immuni.api import ProvinceCode
from immuni.app.pages.application import create_pages
from immuni.app.phone import Phone
from immuni.ble import VirtualAir
from immuni.clock import Clock
from immuni.deployment.phone_links import phone_secret
from immuni.deployment.roles import LOOPBACK, Role
from immuni.deployment.serving import Listener, Server
from immuni.deployment.settings import phone_url, world_url
from immuni.deployment.virtual_phones import (
    PAST,
    PhoneClock,
    PhoneMaker,
    keep_apart,
    live_the_past,
    meeting_before,
    set_up_all,
)
from immuni.deployment.wiring import Wiring
from immuni.framework import keep_living
from immuni.telemetry import logger

PHONE_NAMES: Final = ("phone-a", "phone-b")
_PROVINCE: Final = ProvinceCode("MI")
# A device is woken every few hours; people who watch two phones should not have to wait.
_SESSION_PAUSE: Final = timedelta(seconds=5)
_log = logger("phones")


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Let the phones live, and yield a server for each one's App; none is started yet."""
    async with AsyncExitStack() as stack:
        phones = await _phones(wiring)
        for phone in phones.values():
            stack.push_async_callback(phone.close)
        for phone in phones.values():
            await stack.enter_async_context(_living(phone, wiring.clock))
        yield [_server(number, phone, wiring) for number, phone in enumerate(phones.values())]


async def _phones(wiring: Wiring) -> dict[str, Phone]:
    now = wiring.clock.now()
    air, clock = VirtualAir(), PhoneClock(now - PAST)
    maker = PhoneMaker(
        layout=wiring.deployment.layout,
        get_url=wiring.deployment.url_of(Role.GET),
        upload_url=wiring.deployment.url_of(Role.UPLOAD),
        analytics_url=wiring.deployment.url_of(Role.ANALYTICS),
        air=air,
        clock=clock,
        entropy=wiring.entropy,
    )
    are_new = not maker.has_lived()
    if are_new:
        maker.discard()
    else:
        clock.follow(wiring.clock)
    phones = {name: (await maker.make(name)).phone for name in PHONE_NAMES}
    keep_apart(air, phones)
    if are_new:
        await set_up_all(phones, _PROVINCE)
        await live_the_past(
            phones,
            air=air,
            clock=clock,
            meeting=meeting_before(now),
            meeting_phones=PHONE_NAMES,
            until=now,
        )
        maker.mark_lived()
        clock.follow(wiring.clock)
    return phones


@asynccontextmanager
async def _living(phone: Phone, clock: Clock) -> AsyncIterator[None]:
    tasks = [
        asyncio.create_task(keep_living(phone.framework, clock=clock, on_fault=_tell_of)),
        asyncio.create_task(_keep_checking(phone)),
        asyncio.create_task(phone.simulate_uploads()),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _tell_of(fault: BaseException) -> None:
    _log.error("phone_duty_failed", kind=type(fault).__name__)


async def _keep_checking(phone: Phone) -> None:
    while True:
        try:
            await phone.background_session()
        except Exception as error:  # noqa: BLE001 - a phone goes on, whatever one session met
            _log.error("background_session_failed", kind=type(error).__name__)
        await asyncio.sleep(_SESSION_PAUSE.total_seconds())


def _server(number: int, phone: Phone, wiring: Wiring) -> Server:
    ports = wiring.deployment.ports
    app = create_pages(
        phone,
        public_url=phone_url(number, ports),
        framed_by=world_url(ports),
        secret=phone_secret(number, wiring.deployment.layout),
    )
    return Server(app, Listener(LOOPBACK, ports.of_phone(number)), wiring.clock)
