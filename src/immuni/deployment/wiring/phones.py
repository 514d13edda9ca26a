"""The *phones* role: two virtual phones with their pages, and the page of the world around them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from immuni.app.pages.application import create_pages
from immuni.ble import VirtualAir
from immuni.clock import MovableClock, MovedClock, SystemClock
from immuni.deployment.demo_accounts import DemoAccount, read_demo_accounts
from immuni.deployment.layout import Layout
from immuni.deployment.phone_links import phone_link, phone_secret, world_secret
from immuni.deployment.roles import LOOPBACK, Role
from immuni.deployment.serving import Listener, Server
from immuni.deployment.settings import phone_url, world_url
from immuni.deployment.virtual_phones import PhoneMaker
from immuni.deployment.wiring import Wiring
from immuni.deployment.wiring.jobs import run_job_now
from immuni.portal.accounts.roles import Role as AccountRole
from immuni.settings import SettingsError
from immuni.world.network import open_network
from immuni.world.pages import Portal, create_world_pages
from immuni.world.servers import Servers
from immuni.world.sight import Inhabitant
from immuni.world.world import PROVINCE, World

PHONE_NAMES: Final = ("phone-a", "phone-b")
_PUBLIC_HOSTS: Final = (Role.GET, Role.UPLOAD, Role.ANALYTICS)


@asynccontextmanager
async def servers(wiring: Wiring) -> AsyncIterator[list[Server]]:
    """Let the phones live, and yield a server for each one's App, and one for their world."""
    clock = _clock(wiring)
    account = _operator(wiring.deployment.layout)
    async with AsyncExitStack() as stack:
        maker = _maker(wiring, clock)
        inhabitants = [
            await stack.enter_async_context(_inhabitant(number, maker, wiring))
            for number in range(len(PHONE_NAMES))
        ]
        world = World(inhabitants, air=maker.air, clock=clock, servers=_outside(wiring, account))
        await stack.enter_async_context(world.running())
        yield [
            *(_phone_server(number, each, wiring) for number, each in enumerate(inhabitants)),
            _world_server(world, account, wiring),
        ]


def _clock(wiring: Wiring) -> MovableClock:
    file = wiring.deployment.demonstration_clock
    if file is None:
        raise SettingsError(["demonstration_clock: not set; this role moves it"])
    return MovedClock(file, SystemClock())


def _operator(layout: Layout) -> DemoAccount:
    accounts = read_demo_accounts(layout.demo_accounts)
    return next(each for each in accounts if each.role == AccountRole.OPERATOR)


def _maker(wiring: Wiring, clock: MovableClock) -> PhoneMaker:
    return PhoneMaker(
        layout=wiring.deployment.layout,
        get_url=wiring.deployment.url_of(Role.GET),
        upload_url=wiring.deployment.url_of(Role.UPLOAD),
        analytics_url=wiring.deployment.url_of(Role.ANALYTICS),
        air=VirtualAir(),
        clock=clock,
        entropy=wiring.entropy,
    )


@asynccontextmanager
async def _inhabitant(number: int, maker: PhoneMaker, wiring: Wiring) -> AsyncIterator[Inhabitant]:
    """Lend a phone with a network of its own; the first one's user sets it up by hand."""
    name = PHONE_NAMES[number]
    hosts: dict[str, str] = {role: wiring.deployment.url_of(role) for role in _PUBLIC_HOSTS}
    async with open_network(hosts) as network:
        lines = {url: network.urls[role] for role, url in hosts.items()}
        made = await replace(maker, lines=lines).make(name)
        try:
            if number > 0 and not made.phone.record.onboarding:
                await made.phone.set_up(PROVINCE)
            label = chr(ord("A") + number)
            ports, layout = wiring.deployment.ports, wiring.deployment.layout
            yield Inhabitant(
                name=name,
                label=label,
                url=phone_url(number, ports),
                link=phone_link(number, ports, layout),
                phone=made.phone,
                store=made.store,
                network=network,
            )
        finally:
            await made.phone.close()


def _outside(wiring: Wiring, account: DemoAccount) -> Servers:
    return Servers(
        get_url=wiring.deployment.url_of(Role.GET),
        portal_url=wiring.deployment.url_of(Role.PORTAL),
        user=account.user,
        password=account.password,
        publish=partial(run_job_now, "publish", wiring.deployment.layout.settings_file),
    )


def _phone_server(number: int, inhabitant: Inhabitant, wiring: Wiring) -> Server:
    ports = wiring.deployment.ports
    app = create_pages(
        inhabitant.phone,
        public_url=inhabitant.url,
        framed_by=world_url(ports),
        secret=phone_secret(number, wiring.deployment.layout),
    )
    return Server(app, Listener(LOOPBACK, ports.of_phone(number)), wiring.clock)


def _world_server(world: World, account: DemoAccount, wiring: Wiring) -> Server:
    ports, portal = wiring.deployment.ports, wiring.deployment.url_of(Role.PORTAL)
    app = create_world_pages(
        world,
        public_url=world_url(ports),
        secret=world_secret(wiring.deployment.layout),
        portal=Portal(portal, account.user, account.password),
    )
    return Server(app, Listener(LOOPBACK, ports.world), wiring.clock)
