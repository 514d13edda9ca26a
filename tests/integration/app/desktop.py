"""A desktop session, as far as an App can see it: a real bus, and who shows notifications on it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    MatchRule,
    Message,
    message_bus,
    new_method_return,
    new_signal,
)
from jeepney.io.asyncio import (  # type: ignore[import-untyped]
    DBusRouter,
    Proxy,
    open_dbus_router,
)

NAME: Final = "org.freedesktop.Notifications"
PATH: Final = "/org/freedesktop/Notifications"
# Nothing that the machine has installed may be started by this bus.
_BUS: Final = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@dataclass(frozen=True)
class Shown:
    """A notification as the server of the desktop got it."""

    number: int
    replaces: int
    app: str
    icon: str
    title: str
    text: str
    actions: list[str]
    hints: dict[str, tuple[str, Any]]


@dataclass
class Desktop:
    """What shows notifications, and a user who clicks on them.

    Attributes:
        router: Its connection to the bus.
        address: Of the bus.
        shown: Every notification that was shown.
        closed: The numbers of those that the App took back.
    """

    router: DBusRouter
    address: str
    shown: list[Shown] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    async def click_on(self, shown: Shown) -> None:
        """Do what a click does."""
        await self._signal("ActionInvoked", "us", shown.number, "default")

    async def answer(self, call: Message) -> None:
        """Answer one call."""
        match call.header.fields[HeaderFields.member]:
            case "GetCapabilities":
                await self._reply(call, "as", ["actions", "body", "body-markup"])
            case "Notify":
                app, replaces, icon, title, text, actions, hints, _ = call.body
                number = replaces or len(self.shown) + 1
                self.shown.append(Shown(number, replaces, app, icon, title, text, actions, hints))
                await self._reply(call, "u", number)
            case "CloseNotification":
                self.closed.append(call.body[0])
                await self._reply(call, "")
                await self._signal("NotificationClosed", "uu", call.body[0], 3)

    async def _reply(self, call: Message, signature: str, *values: object) -> None:
        await self.router.send(new_method_return(call, signature, values))

    async def _signal(self, name: str, signature: str, *values: object) -> None:
        address = DBusAddress(PATH, interface=NAME)
        await self.router.send(new_signal(address, name, signature, values))


@asynccontextmanager
async def session_bus(folder: Path) -> AsyncIterator[str]:
    """Run a bus as long as the block runs, and yield its address."""
    config = folder / "bus.conf"
    config.write_text(_BUS.format(socket=folder / "bus"))
    process = await asyncio.create_subprocess_exec(
        "dbus-daemon",
        f"--config-file={config}",
        "--nofork",
        "--print-address",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def desktop_on(address: str) -> AsyncIterator[Desktop]:
    """Show notifications on the bus at `address` as long as the block runs."""
    async with open_dbus_router(address) as router:
        desktop = Desktop(router, address)
        calls: asyncio.Queue[Message] = asyncio.Queue()
        with router.filter(MatchRule(type="method_call", interface=NAME), queue=calls):
            task = asyncio.create_task(_keep_answering(desktop, calls))
            await Proxy(message_bus, router).RequestName(NAME)
            yield desktop
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _keep_answering(desktop: Desktop, calls: "asyncio.Queue[Message]") -> None:
    while True:
        await desktop.answer(await calls.get())


def recording_browser(folder: Path) -> tuple[dict[str, str], Path]:
    """Return an environment in which ``xdg-open`` only notes what it is to open, and where."""
    programs, opened = folder / "bin", folder / "opened"
    programs.mkdir()
    program = programs / "xdg-open"
    program.write_text(
        f'#!/bin/sh\nprintf %s "$1" > "{opened}.new" && mv "{opened}.new" "{opened}"\n'
    )
    program.chmod(0o700)
    return {"PATH": f"{programs}:{os.environ['PATH']}"}, opened
