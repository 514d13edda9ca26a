"""What the App does by itself, with the framework in a daemon behind a socket."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from immuni.app.notifications import Notification, NotificationKind
from immuni.app.phone import Phone
from immuni.app.record import CheckFailure
from immuni.app.schedule import LONGEST_PAUSE
from immuni.app.status import ServiceIssue
from immuni.app.storage import AppStore
from immuni.app.waking import Waking
from immuni.device import DeviceClient, DeviceUnreachableError, RemoteFramework, listening
from immuni.entropy import SeededEntropy
from immuni.framework import FileKeyStore
from tests.integration.app.world import CHIETI, World, uploaded_keys

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


class Screen:
    """Where notifications appear, or do not while nobody is there to show them."""

    def __init__(self) -> None:
        self.is_there = True
        self.shown: list[NotificationKind] = []
        self.withdrawn = 0

    async def show(self, notification: Notification) -> bool:
        if self.is_there:
            self.shown.append(notification.kind)
        return self.is_there

    async def withdraw(self) -> None:
        self.withdrawn += 1


@pytest.fixture
async def framework(met: tuple[Phone, Phone]) -> AsyncIterator[RemoteFramework]:
    """Lend the framework of a phone that has met another one, over a socket."""

    def unexpected(fault: BaseException) -> None:
        raise fault

    # The name of a socket has at most 107 bytes; folders of tests may have longer ones.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "device.sock"
        async with listening(met[0].framework, path, on_fault=unexpected):
            yield RemoteFramework(DeviceClient(path))


@pytest.fixture
def screen() -> Screen:
    return Screen()


class Apps:
    """Starts the App on one memory, again and again."""

    def __init__(self, world: World, framework: RemoteFramework, screen: Screen) -> None:
        self._world = world
        self._framework = framework
        self._screen = screen
        self._path = world.folder / "desktop.db"
        self._open: AppStore | None = None

    def start(self) -> Waking:
        """Start it, or start it again."""
        self.end()
        self._open = AppStore.open(
            self._path, FileKeyStore(self._path.with_suffix(".key")), entropy=SeededEntropy("a")
        )
        phone = Phone(
            build=self._world.build(),
            framework=self._framework,
            store=self._open,
            clock=self._world.clock,
            entropy=SeededEntropy("a"),
        )
        return Waking(
            phone=phone,
            store=self._open,
            clock=self._world.clock,
            entropy=SeededEntropy("a"),
            notifier=self._screen,
            look_around=self._framework.refresh,
        )

    def end(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


@pytest.fixture
def apps(world: World, framework: RemoteFramework, screen: Screen) -> Iterator[Apps]:
    apps = Apps(world, framework, screen)
    yield apps
    apps.end()


async def test_a_warning_is_told_once_and_sessions_keep_their_schedule_over_restarts(
    world: World, apps: Apps, met: tuple[Phone, Phone], screen: Screen
) -> None:
    world.publish(1, await uploaded_keys(met[1]))
    app = apps.start()
    await app.phone.set_up(CHIETI)
    screen.is_there = False
    await app.wake()
    planned = app.store.record.next_session
    asked = len(world.servers.asked)

    screen.is_there = True
    again = apps.start()
    await again.wake()
    await apps.start().wake()

    assert screen.shown == [NotificationKind.RISK]
    assert len(world.servers.asked) == asked
    assert planned is not None
    world.pass_over(planned - world.clock.now())
    await apps.start().wake()
    assert len(world.servers.asked) > asked


async def test_what_the_user_has_looked_at_is_not_shown_and_taken_back(
    world: World, apps: Apps, met: tuple[Phone, Phone], screen: Screen
) -> None:
    world.publish(1, await uploaded_keys(met[1]))
    app = apps.start()
    await app.phone.set_up(CHIETI)
    screen.is_there = False
    await app.wake()

    app.phone.mark_seen()
    screen.is_there = True
    await app.wake()

    assert screen.shown == []
    assert screen.withdrawn == 1


async def test_a_session_without_a_network_is_repeated_soon(world: World, apps: Apps) -> None:
    app = apps.start()
    await app.phone.set_up(CHIETI)
    world.servers.broken_paths.add("/v1/keys/index")
    await app.wake()
    busy = app.store.record

    assert busy.failure is CheckFailure.UNEXPECTED_ANSWER
    assert busy.next_session is not None
    assert timedelta(hours=1) <= busy.next_session - world.clock.now() <= LONGEST_PAUSE


async def test_who_has_not_finished_the_onboarding_is_reminded_and_no_server_is_asked(
    world: World, apps: Apps, screen: Screen
) -> None:
    app = apps.start()
    await app.wake()
    world.pass_over(DAY)
    await app.wake()
    await app.wake()

    assert screen.shown == [NotificationKind.ONBOARDING_NOT_COMPLETED]
    assert world.servers.asked == []


async def test_a_daemon_that_is_gone_is_a_reason_until_it_comes(
    world: World, apps: Apps, met: tuple[Phone, Phone]
) -> None:
    app = apps.start()
    await app.phone.set_up(CHIETI)
    assert ServiceIssue.DEVICE_UNREACHABLE not in app.phone.status().issues
    with TemporaryDirectory() as folder:
        path = Path(folder) / "device.sock"
        gone = RemoteFramework(DeviceClient(path))
        lonely = Phone(
            build=world.build(),
            framework=gone,
            store=app.store,
            clock=world.clock,
            entropy=SeededEntropy("a"),
        )

        await gone.refresh()

        assert lonely.status().issues[0] is ServiceIssue.DEVICE_UNREACHABLE
        with pytest.raises(DeviceUnreachableError):
            await lonely.switch_on()
        async with listening(met[0].framework, path, on_fault=lambda _fault: None):
            await gone.refresh()
        assert lonely.status().active
