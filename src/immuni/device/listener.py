"""The daemon's side of the socket."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from immuni.device.faults import fault_of
from immuni.device.frames import (
    MAX_CHUNK_BYTES,
    MAX_MESSAGE_BYTES,
    MalformedFrameError,
    read_frame,
    write_frame,
)
from immuni.device.messages import (
    Answer,
    AskDailySummaries,
    AskExposureInfo,
    AskExposureWindows,
    AskPreAuthorisedKeys,
    AskStatus,
    AskStored,
    AskTekHistory,
    AskUser,
    Authorise,
    DeleteEverything,
    DetectExposures,
    DetectWindows,
    Done,
    Fault,
    FaultKind,
    Pause,
    PreAuthorise,
    Reply,
    Request,
    Resume,
    Revoke,
    Start,
    Stop,
    TrustClock,
    decode,
    encode,
)
from immuni.errors import ImmuniError
from immuni.framework import ExposureNotificationFramework, OnFault

_CREDENTIALS: Final = struct.Struct("3i")
_PATIENCE: Final = timedelta(seconds=30)
"""For a message, or the chunks after it. A user may think about a question for longer."""
_USER_PATIENCE: Final = timedelta(minutes=10)
_MOST_CONVERSATIONS: Final = 16


@asynccontextmanager
async def listening(
    framework: ExposureNotificationFramework,
    path: Path,
    *,
    on_fault: OnFault,
    patience: timedelta = _PATIENCE,
    most_bytes: int = MAX_CHUNK_BYTES,
) -> AsyncIterator[None]:
    """Answer on the socket `path` for as long as the context lasts.

    Args:
        framework: What is asked for.
        path: A Unix socket that is made here; what a killed daemon left there is replaced. Its
            folder must belong to this process alone.
        on_fault: Learns of a fault that nobody foresaw. The App is told its kind alone.
        patience: For so long a message, or the chunks that follow it, may be on their way: who
            falls silent must not hold a place for ever.
        most_bytes: Of all chunks of one detection together.

    Privacy:
        Only processes of the same user, and root, are listened to.
    """
    listener = _Listener(partial(_Conversation, framework, on_fault, patience, most_bytes))
    with _bound(path) as bound:
        server = await asyncio.start_unix_server(listener.meet, sock=bound, limit=MAX_MESSAGE_BYTES)
        try:
            yield
        finally:
            server.close()
            await listener.end()


@contextmanager
def _bound(path: Path) -> Iterator[socket.socket]:
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
        path.chmod(0o600)
        try:
            yield bound
        finally:
            path.unlink(missing_ok=True)


_Begin = Callable[[asyncio.StreamReader, asyncio.StreamWriter], "_Conversation"]


class _Listener:
    """The conversations that are going on."""

    def __init__(self, begin: "_Begin") -> None:
        self._begin = begin
        self._conversations: set[asyncio.Task[None]] = set()

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin a conversation with whoever may have one."""
        if not _is_ours(writer) or len(self._conversations) >= _MOST_CONVERSATIONS:
            writer.close()
            return
        task = asyncio.create_task(self._converse(reader, writer))
        self._conversations.add(task)
        task.add_done_callback(self._conversations.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._begin(reader, writer).hold()
        except TimeoutError:
            # What was not read by now, nobody waits for.
            writer.transport.abort()
        finally:
            writer.close()

    async def end(self) -> None:
        """Break off what is going on."""
        for task in tuple(self._conversations):
            task.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)


class _Conversation:
    """Questions and answers of one App, one after the other."""

    def __init__(
        self,
        framework: ExposureNotificationFramework,
        on_fault: OnFault,
        patience: timedelta,
        most_bytes: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._framework = framework
        self._on_fault = on_fault
        self._patience_seconds = patience.total_seconds()
        self._most_bytes = most_bytes
        self._reader = reader
        self._writer = writer

    async def hold(self) -> None:
        """Answer until the App ends, or says something that cannot be understood."""
        with suppress(ConnectionError):
            try:
                while content := await self._heard():
                    await self._say(await self._answer(content))
            except MalformedFrameError as error:
                await self._say(fault_of(error))

    async def _heard(self) -> bytes | None:
        async with asyncio.timeout(self._patience_seconds):
            return await read_frame(self._reader, most=MAX_MESSAGE_BYTES)

    async def _answer(self, content: bytes) -> Answer:
        request: Request = decode(content, Request)  # type: ignore[arg-type] # a union is no type
        try:
            return Done(msgspec.Raw(encode(await self._do(request))))
        except (MalformedFrameError, ConnectionError, TimeoutError):
            raise
        except ImmuniError as error:
            return fault_of(error)
        except Exception as error:  # noqa: BLE001 - the daemon lives on, whatever one call met
            self._on_fault(error)
            # The kind alone: what a fault's message says could be about somebody.
            return Fault(FaultKind.OTHER, f"the daemon failed: {type(error).__name__}")

    async def _do(self, request: Request) -> object:  # noqa: C901, PLR0911, PLR0912 - one table
        framework = self._framework
        match request:
            case AskStatus():
                return framework.status()
            case AskStored():
                return await framework.stored()
            case AskExposureInfo():
                return await framework.exposure_info(self._user_agrees)
            case AskExposureWindows():
                return framework.exposure_windows()
            case AskDailySummaries(configuration):
                return framework.daily_summaries(configuration)
            case AskTekHistory():
                return await framework.tek_history(self._user_agrees)
            case AskPreAuthorisedKeys():
                return await framework.pre_authorised_tek_history()
            case PreAuthorise():
                return await framework.pre_authorise(self._user_agrees)
            case DetectExposures(chunks, configuration):
                files = await self._chunks(chunks)
                return await framework.detect_exposures(files, configuration)
            case DetectWindows(chunks, mapping):
                files = await self._chunks(chunks)
                await framework.detect_windows(files, mapping)
            case Authorise():
                await framework.authorise()
            case Revoke():
                await framework.revoke()
            case Start():
                await framework.start()
            case Stop():
                await framework.stop()
            case Pause(until):
                await framework.pause(until=until)
            case Resume():
                await framework.resume()
            case TrustClock():
                await framework.trust_clock()
            case DeleteEverything():
                await framework.delete_everything()
        return None

    async def _chunks(self, count: int) -> list[bytes]:
        chunks = []
        room = self._most_bytes
        async with asyncio.timeout(self._patience_seconds):
            for _ in range(count):
                chunk = await read_frame(self._reader, most=room)
                if chunk is None:
                    raise MalformedFrameError("a chunk is missing")
                room -= len(chunk)
                chunks.append(chunk)
        return chunks

    async def _user_agrees(self) -> bool:
        await self._say(AskUser())
        async with asyncio.timeout(_USER_PATIENCE.total_seconds()):
            content = await read_frame(self._reader, most=MAX_MESSAGE_BYTES)
        if content is None:
            return False
        return decode(content, Reply).agreed

    async def _say(self, answer: Answer) -> None:
        async with asyncio.timeout(self._patience_seconds):
            await write_frame(self._writer, encode(answer))


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    peer: socket.socket = writer.get_extra_info("socket")
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    return uid in (0, os.geteuid())
