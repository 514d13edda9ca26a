"""``immuni app run``: the App of one Linux device, put together."""

import asyncio
import errno
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from starlette.types import ASGIApp

from immuni.app.build import Build
from immuni.app.desktop import BrowserError, DesktopNotifier, open_in_browser
from immuni.app.desktop.words import NotificationWords, language_of_the_system
from immuni.app.notifications import Notification
from immuni.app.pages.application import create_pages
from immuni.app.pages.deep_links import page_of
from immuni.app.pages.entrance import link_to
from immuni.app.phone import Phone
from immuni.app.secret import InstallationSecret
from immuni.app.storage import AppStore
from immuni.app.system import LinuxSystem, this_linux
from immuni.app.waking import Notifier, Waking
from immuni.clock import SystemClock
from immuni.deployment.app_folder import AppFolder
from immuni.deployment.app_settings import AppSettings
from immuni.deployment.installation_secret import kept_secret, renewed_secret
from immuni.deployment.ports import PortTakenError
from immuni.deployment.roles import LOOPBACK
from immuni.deployment.serving import Listener, Server
from immuni.deployment.stopping import on_stop_signals
from immuni.device import DeviceClient, DeviceFolder, RemoteFramework, ServiceManager
from immuni.entropy import SystemEntropy
from immuni.framework import InactiveReason, key_store_for
from immuni.telemetry import logger

_LOOK_PERIOD: Final = timedelta(minutes=1)
"""The clock is looked at so often: a timer would stand still while the machine is suspended."""
_log = logger("app")


async def run_app(
    path: Path,
    *,
    device: Path,
    settings: AppSettings,
    environment: Mapping[str, str],
    announce: Callable[[str], object],
) -> None:
    """Serve the App's pages and do what it does by itself, until SIGTERM or Ctrl-C.

    Args:
        path: Where the App keeps all; made where it is missing.
        device: The folder of the daemon. One that does not run is waited for.
        settings: Whom the App asks and trusts.
        environment: Of the process: its service manager, and the user's language.
        announce: Learns the link that opens the pages, once they are served.

    Raises:
        SettingsError: Something is missing; nothing was started.
        DataFolderError: The folder cannot be used; nothing was started.
        FolderInUseError: Another App runs in it; nothing was started.
        PortTakenError: The port is not free; nothing was started.
        StoreError: The App's memory cannot be opened.
    """
    # What the App remembers must not reach a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder, build = AppFolder(path), settings.build()
    folder.prepare()
    async with AsyncExitStack() as stack:
        stack.enter_context(folder.used())
        listener = stack.enter_context(_bound(settings.app_port, folder))
        secret = kept_secret(folder.secret, SystemEntropy())
        app = _App(
            build=build,
            store=AppStore.open(
                folder.database, key_store_for(folder.key), entropy=SystemEntropy()
            ),
            framework=RemoteFramework(DeviceClient(DeviceFolder(device).socket)),
            door=_Door(
                folder,
                f"http://immuni-{secret.label}.localhost:{settings.app_port}",
                secret,
            ),
            manager=ServiceManager.from_environment(environment),
            system_language=language_of_the_system(environment),
        )
        await app.live(listener, announce)


@dataclass(frozen=True, slots=True)
class _Door:
    """The way of the device's user to the pages."""

    folder: AppFolder
    origin: str
    secret: InstallationSecret

    def link(self, page: str = "/") -> str:
        return link_to(self.origin, self.secret, page=page)

    async def open(self, notification: Notification) -> None:
        """Show the page on which a notification goes on."""
        try:
            await open_in_browser(self.folder.path, self.link(page_of(notification.kind)))
        except (BrowserError, OSError) as error:
            _log.error("browser_not_opened", kind=type(error).__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _App:
    """The App's parts, and how they live together."""

    build: Build
    store: AppStore
    framework: RemoteFramework
    door: _Door
    manager: ServiceManager
    system_language: str
    visited: asyncio.Event = field(default_factory=asyncio.Event)

    async def live(self, listener: socket.socket, announce: Callable[[str], object]) -> None:
        """Serve the pages and wake up now and then, until the process is asked to stop."""
        phone = Phone(
            build=self.build,
            framework=self.framework,
            store=self.store,
            clock=SystemClock(),
            entropy=SystemEntropy(),
            system=self._system,
        )
        words = NotificationWords(phone, self.system_language)
        notifier = DesktopNotifier(words, self.door.open)

        async def on_ready() -> None:
            self.manager.tell(READY="1")
            announce(self.door.link())

        async with AsyncExitStack() as stack:
            stack.push_async_callback(phone.close)
            stack.push_async_callback(notifier.close)
            waking = self._waking(phone, notifier)
            await stack.enter_async_context(_going_on(self._keep_waking(waking)))
            await stack.enter_async_context(_going_on(phone.simulate_uploads()))
            stack.enter_context(self.door.folder.served_at(self.door.origin))
            try:
                await _serve(self._pages(phone), listener, on_ready)
            finally:
                self.manager.tell(STOPPING="1")

    def _system(self) -> LinuxSystem:
        """Look at the device; a radio that answers is an adapter, though Linux may not know it."""
        found = this_linux()
        is_lost = InactiveReason.RADIO_LOST in self.framework.status().reasons
        return replace(found, has_adapter=found.has_adapter or not is_lost)

    def _pages(self, phone: Phone) -> ASGIApp:
        return create_pages(
            phone,
            public_url=self.door.origin,
            secret=self.door.secret,
            device_name="Immuni",
            look_around=self._visit,
        )

    def _waking(self, phone: Phone, notifier: Notifier) -> Waking:
        return Waking(
            phone=phone,
            store=self.store,
            clock=phone.clock,
            entropy=SystemEntropy(),
            notifier=notifier,
            look_around=self.framework.refresh,
        )

    async def _visit(self) -> None:
        """Find out how things are for a user who looks, and do what the look may make due."""
        await self.framework.refresh()
        self.visited.set()

    async def _keep_waking(self, waking: Waking) -> None:
        while True:
            self.visited.clear()
            try:
                await waking.wake()
            except Exception as error:  # noqa: BLE001 - the App goes on, whatever one session met
                # The kind alone: what a fault's message says could be about somebody.
                _log.error("waking_failed", kind=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_PERIOD.total_seconds()):
                    await self.visited.wait()


@asynccontextmanager
async def _going_on(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@contextmanager
def _bound(port: int, folder: AppFolder) -> Iterator[socket.socket]:
    """Bind the port of the pages before anything is told to anybody.

    Whoever took it in our place may have been shown a cookie by the user's browser: then neither
    that cookie nor any link opens the pages any more.
    """
    try:
        listener = socket.create_server((LOOPBACK, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        renewed_secret(folder.secret, SystemEntropy())
        raise PortTakenError(
            f"another program answers on port {port} of {LOOPBACK}; end it, or choose another "
            "one with the setting app_port. All links and cookies of before are void."
        ) from error
    with listener:
        yield listener


async def _serve(
    pages: ASGIApp, listener: socket.socket, on_ready: Callable[[], Awaitable[None]]
) -> None:
    host, port = listener.getsockname()
    server = Server(pages, Listener(host, port), SystemClock())
    server.on_ready = on_ready
    on_stop_signals(server.stop)
    await server.serve(sockets=[listener])
