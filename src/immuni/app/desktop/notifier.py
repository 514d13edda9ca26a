"""Notifications of the desktop, over the session's D-Bus.

Source:
    freedesktop.org, Desktop Notifications Specification 1.2.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from typing import Any, Final

from jeepney import DBusAddress, DBusErrorResponse, MatchRule, Message, message_bus  # type: ignore[import-untyped]
from jeepney.io.asyncio import DBusRouter, Proxy, open_dbus_connection  # type: ignore[import-untyped]
from jeepney.io.common import RouterClosed  # type: ignore[import-untyped]
from jeepney.low_level import HeaderFields  # type: ignore[import-untyped]
from jeepney.wrappers import new_method_call, unwrap_msg  # type: ignore[import-untyped]

from immuni.app.notifications import URGENT, Notification

APP_NAME: Final = "Immuni"
DESKTOP_ENTRY: Final = "immuni"
"""Name of the desktop file and of the icon."""

_SERVER: Final = DBusAddress(
    "/org/freedesktop/Notifications",
    bus_name="org.freedesktop.Notifications",
    interface="org.freedesktop.Notifications",
)
_PATIENCE: Final = timedelta(seconds=10)
_AS_THE_SERVER_LIKES: Final = -1
_NORMAL, _CRITICAL = 1, 2
"""Urgencies; what is critical stays on the screen until somebody has seen it."""
_CLICK: Final = "default"
# What a bus that is gone, or a server that is not there or refuses, comes out as.
_FAILURES: Final = (
    OSError,
    EOFError,
    KeyError,
    RuntimeError,
    TimeoutError,
    RouterClosed,
    DBusErrorResponse,
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a notification says.

    Attributes:
        title: Its headline.
        text: What follows.
        action: What a click on it does, for servers that show a button.
    """

    title: str
    text: str
    action: str


@dataclass(slots=True)
class DesktopNotifier:
    """Shows notifications, and learns when the user clicks on one.

    Where there is no session bus, or nobody on it who shows notifications, nothing is shown, and
    the next notification is tried anew.

    Attributes:
        words: Says a notification in the user's language.
        on_click: Learns of the notification that was clicked on.
    """

    words: Callable[[Notification], Words]
    on_click: Callable[[Notification], Awaitable[None]]
    _shown: dict[int, Notification] = field(default_factory=dict, init=False)
    _connection: "_Connection | None" = field(default=None, init=False)

    async def show(self, notification: Notification) -> bool:
        """Show a notification in place of an older one of its kind."""
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                await self._show(await self._connected(), notification)
        except _FAILURES:
            await self.close()
            return False
        return True

    async def withdraw(self) -> None:
        """Take back whatever still stands on the screen."""
        if not self._shown or self._connection is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                for number in tuple(self._shown):
                    await self._connection.ask("CloseNotification", "u", number)
        except _FAILURES:
            await self.close()
        self._shown.clear()

    async def close(self) -> None:
        """Leave the bus."""
        connection, self._connection = self._connection, None
        self._shown.clear()
        if connection is not None:
            await connection.close()

    async def _connected(self) -> "_Connection":
        if self._connection is None:
            self._connection = await _Connection.open(self._heard)
        return self._connection

    async def _show(self, connection: "_Connection", notification: Notification) -> None:
        words = self.words(notification)
        older = (number for number, each in self._shown.items() if each.kind is notification.kind)
        replaced = next(older, 0)
        urgency = _CRITICAL if notification.kind in URGENT else _NORMAL
        (number,) = await connection.ask(
            "Notify",
            "susssasa{sv}i",
            APP_NAME,
            replaced,
            DESKTOP_ENTRY,
            words.title,
            escape(words.text, quote=False)
            if "body-markup" in connection.abilities
            else words.text,
            [_CLICK, words.action],
            {"urgency": ("y", urgency), "desktop-entry": ("s", DESKTOP_ENTRY)},
            _AS_THE_SERVER_LIKES,
        )
        self._shown.pop(replaced, None)
        self._shown[number] = notification

    async def _heard(self, signal: str, number: int) -> None:
        if signal == "NotificationClosed":
            self._shown.pop(number, None)
        elif signal == "ActionInvoked" and number in self._shown:
            await self.on_click(self._shown[number])


@dataclass(frozen=True, slots=True)
class _Connection:
    """A conversation with the server of notifications."""

    stack: AsyncExitStack
    router: DBusRouter
    abilities: frozenset[str]

    @classmethod
    async def open(cls, heard: Callable[[str, int], Awaitable[None]]) -> "_Connection":
        async with AsyncExitStack() as stack:
            connection = await open_dbus_connection()
            # Closed by itself: a router whose bus has gone forgets to.
            stack.push_async_callback(connection.close)
            router = await stack.enter_async_context(DBusRouter(connection))
            await _listen(stack, router, heard)
            abilities = unwrap_msg(
                await router.send_and_get_reply(new_method_call(_SERVER, "GetCapabilities"))
            )
            return cls(stack.pop_all(), router, frozenset(abilities[0]))

    async def ask(self, method: str, signature: str, *values: object) -> tuple[Any, ...]:
        """Call a method of the server, and return what it answers."""
        call = new_method_call(_SERVER, method, signature, values)
        answer: tuple[Any, ...] = unwrap_msg(await self.router.send_and_get_reply(call))
        return answer

    async def close(self) -> None:
        try:
            await self.stack.aclose()
        except _FAILURES:
            # The bus was gone already.
            return


async def _listen(
    stack: AsyncExitStack, router: DBusRouter, heard: Callable[[str, int], Awaitable[None]]
) -> None:
    """Hear the server's signals as long as `stack` is open."""
    rule = MatchRule(type="signal", interface=_SERVER.interface, path=_SERVER.object_path)
    signals: asyncio.Queue[Message] = asyncio.Queue()
    stack.enter_context(router.filter(rule, queue=signals))
    await Proxy(message_bus, router).AddMatch(rule)
    task = asyncio.create_task(_hand_on(signals, heard))
    stack.callback(task.cancel)


async def _hand_on(
    signals: "asyncio.Queue[Message]", heard: Callable[[str, int], Awaitable[None]]
) -> None:
    while True:
        message = await signals.get()
        signal = message.header.fields.get(HeaderFields.member)
        if message.body and isinstance(message.body[0], int):
            await heard(str(signal), message.body[0])
