"""The App's side of the socket: the framework's face, as if it were here."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from immuni.device.faults import error_of
from immuni.device.frames import MAX_CHUNK_BYTES, MalformedFrameError, read_frame, write_frame
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
from immuni.framework import Question, Status
from immuni.keys import TemporaryExposureKey
from immuni.risk import (
    DailySummariesConfiguration,
    DailySummary,
    DiagnosisKeysDataMapping,
    ExposureConfiguration,
    ExposureDetectionSummary,
    ExposureInfo,
    ExposureWindow,
)

_Value = TypeVar("_Value")


class DeviceUnreachableError(ImmuniError, ConnectionError):
    """The device's daemon does not answer; what was asked last may have been done."""


class DeviceClient:
    """What `immuni.framework.ExposureNotificationFramework` offers, over the daemon's socket.

    Each call is a conversation of its own, so that several may go on at once, and a daemon that
    was started again is found again. Errors are those of the framework.
    """

    def __init__(self, path: Path) -> None:
        """Ask the daemon behind the Unix socket `path`; nothing is opened yet."""
        self._path = path

    async def status(self) -> Status:
        """Return whether exposure notifications work, with every reason why not."""
        return await self._ask(AskStatus(), Status)

    async def authorise(self) -> None:
        """Note that the user allows the App to use exposure notifications."""
        await self._tell(Authorise())

    async def revoke(self) -> None:
        """Note that the user no longer allows it: the radio falls silent."""
        await self._tell(Revoke())

    async def start(self) -> None:
        """Broadcast and listen, as soon as nothing stands in the way."""
        await self._tell(Start())

    async def stop(self) -> None:
        """Broadcast and listen no more."""
        await self._tell(Stop())

    async def pause(self, *, until: datetime | None = None) -> None:
        """Fall silent until an instant, or until told to resume."""
        await self._tell(Pause(until))

    async def resume(self) -> None:
        """End a pause."""
        await self._tell(Resume())

    async def detect_exposures(
        self, exports: Sequence[bytes], configuration: ExposureConfiguration
    ) -> ExposureDetectionSummary:
        """Match `exports` and score by the first model."""
        request = DetectExposures(len(exports), configuration)
        return await self._ask(request, ExposureDetectionSummary, exports=exports)

    async def detect_windows(
        self, exports: Sequence[bytes], mapping: DiagnosisKeysDataMapping
    ) -> None:
        """Match `exports` and keep the windows of the second model."""
        await self._tell(DetectWindows(len(exports), mapping), exports=exports)

    async def exposure_info(self, tell: Question) -> list[ExposureInfo]:
        """Return the exposures of the last detection that found any, once the user was told."""
        return await self._ask(AskExposureInfo(), list[ExposureInfo], question=tell)

    async def exposure_windows(self) -> list[ExposureWindow]:
        """Return the exposure windows of the last 14 days."""
        return await self._ask(AskExposureWindows(), list[ExposureWindow])

    async def daily_summaries(
        self, configuration: DailySummariesConfiguration
    ) -> list[DailySummary]:
        """Return the exposure windows, summed up by day."""
        return await self._ask(AskDailySummaries(configuration), list[DailySummary])

    async def tek_history(self, consent: Question) -> list[TemporaryExposureKey]:
        """Return the device's keys of the last 14 days, with the user's consent."""
        return await self._ask(AskTekHistory(), list[TemporaryExposureKey], question=consent)

    async def pre_authorise(self, consent: Question) -> datetime:
        """Let the keys be handed out once, later; return until when."""
        return await self._ask(PreAuthorise(), datetime, question=consent)

    async def pre_authorised_tek_history(self) -> list[TemporaryExposureKey]:
        """Return the device's keys with the permission that was given before; it is used up."""
        return await self._ask(AskPreAuthorisedKeys(), list[TemporaryExposureKey])

    async def trust_clock(self) -> None:
        """Believe the clock although it was turned back."""
        await self._tell(TrustClock())

    async def stored(self) -> dict[str, int]:
        """Return how much of each kind the device stores."""
        return await self._ask(AskStored(), dict[str, int])

    async def delete_everything(self) -> None:
        """Fall silent and destroy all that is stored."""
        await self._tell(DeleteEverything())

    async def _tell(self, request: Request, *, exports: Sequence[bytes] = ()) -> None:
        await self._ask(request, type(None), exports=exports)

    async def _ask(
        self,
        request: Request,
        kind: type[_Value],
        *,
        exports: Sequence[bytes] = (),
        question: Question | None = None,
    ) -> _Value:
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except PermissionError as error:
            raise DeviceUnreachableError(f"{self._path} is another user's") from error
        except OSError as error:
            raise DeviceUnreachableError(
                f"no daemon answers at {self._path}: does `immuni device run` run with this folder?"
            ) from error
        try:
            await write_frame(writer, encode(request))
            for export in exports:
                await write_frame(writer, export)
            return await _conversation(reader, writer, kind, question)
        except ConnectionError as error:
            raise DeviceUnreachableError("the device's daemon broke off") from error
        finally:
            writer.close()


async def _conversation(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    kind: type[_Value],
    question: Question | None,
) -> _Value:
    while True:
        content = await read_frame(reader, most=MAX_CHUNK_BYTES)
        if content is None:
            raise DeviceUnreachableError("the device's daemon broke off")
        answer: Answer = decode(content, Answer)  # type: ignore[arg-type] # a union is no type
        match answer:
            case Done(value):
                return decode(value, kind)
            case Fault():
                raise error_of(answer)
            case AskUser():
                if question is None:
                    raise MalformedFrameError("the daemon asks what needs no answer")
                await write_frame(writer, encode(Reply(agreed=await question())))
