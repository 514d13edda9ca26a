"""The background session: from settings to a warning, without the user.

Source:
    Mobile Client, "Background session".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import msgspec

from immuni.api import MalformedAnswerError, SettingsRefusedError
from immuni.app.analytics.decision import with_detection
from immuni.app.analytics.memory import Detected
from immuni.app.analytics.reporting import Reporting
from immuni.app.build import Build
from immuni.app.chunks import due_chunks
from immuni.app.decision import Detection, after_detection, calls_for_infos, purged
from immuni.app.framework_port import Framework
from immuni.app.questions.refreshing import refresh_questions
from immuni.app.record import AppRecord, CheckFailure
from immuni.app.reminders import reminded
from immuni.app.server import IndexAnswer, PublicHost, UnexpectedAnswerError, open_public_host
from immuni.app.server_time import ServerTime
from immuni.app.service_end import has_ended
from immuni.app.settings import accept_settings
from immuni.app.state import Positive
from immuni.app.status import is_outdated, phone_status
from immuni.app.storage import AppStore
from immuni.app.transport import ServerUnreachableError
from immuni.clock import Clock
from immuni.device import DeviceUnreachableError
from immuni.export import SignatureMismatchError
from immuni.framework import (
    DetectionQuotaError,
    InactiveReason,
    RefusedExportError,
    StoreError,
    UntrustedClockError,
)
from immuni.risk import ExposureConfiguration

_RIGHT_CLOCK: Final = timedelta(minutes=5)
"""A phone's clock this near the server's is believed although it was turned back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check came to.

    Attributes:
        processed: How many of the chunks that were due a detection covered, from the first on.
        detection: What it found; None where there was nothing to detect.
        failure: Why it ended before the last chunk; None where it did not.
    """

    processed: int = 0
    detection: Detection | None = None
    failure: CheckFailure | None = None


@dataclass(slots=True, kw_only=True)
class BackgroundSession:
    """What the App does by itself several times a day.

    Every request in it is the same for every phone of one platform and build, but for a report to
    the Analytics Service or a dummy, which is sent seldom and at random.

    Attributes:
        server_now: The server's clock, as a server told it in this session; None before.
    """

    build: Build
    store: AppStore
    framework: Framework
    clock: Clock
    reporting: Reporting
    server_now: datetime | None = field(default=None, init=False)

    async def run(self) -> None:
        """Purge, refresh the settings, check for exposures, warn, and report where due.

        Nothing is raised for what a network, a server or a file can do: the reason is kept and
        shown, and the next session goes on where this one ended.

        Raises:
            StoreError: The App's memory could not be written; it is as it was.
        """
        now = self.clock.now()
        self.store.update(lambda record: purged(record, now=now))
        self.store.scrub()
        async with open_public_host(self.build, clock=self.clock) as host:
            await self._refresh_settings(host)
            # Nothing but the settings, which may tell one day that it goes on.
            if has_ended(self.store.record, now=self.clock.now()):
                return
            await refresh_questions(host, self.store.questions, self.store.record.settings, now=now)
            if self._is_check_due():
                await self._check(host)
        self.store.update(self._reminded)
        # Only what a server told just now: the phone's own clock may have been moved since before.
        if self.server_now is not None:
            await self.reporting.end_session(now=self.server_now)

    async def _refresh_settings(self, host: PublicHost) -> None:
        """Take the server's settings where they are to be had and signed; else keep the others."""
        try:
            answer = await host.settings()
            accepted = accept_settings(
                answer, in_force=self.store.record.settings, build=self.build
            )
        except (ServerUnreachableError, UnexpectedAnswerError, SettingsRefusedError):
            return
        self.store.update(lambda record: msgspec.structs.replace(record, settings=accepted))
        await self._learn_time(answer.server_time)

    def _is_check_due(self) -> bool:
        record = self.store.record
        if is_outdated(record, self.build.number):
            return False
        if record.last_check is None:
            return True
        period = timedelta(seconds=record.settings.values.exposure_detection_period)
        # A check that lies in the future was dated by a clock that was wrong then.
        return not timedelta() <= self.clock.now() - record.last_check < period

    async def _check(self, host: PublicHost) -> None:
        try:
            answer = await host.index()
        except (ServerUnreachableError, UnexpectedAnswerError, MalformedAnswerError) as error:
            self._conclude(range(0), Outcome(failure=_download_failure(error)))
            return
        await self._learn_time(answer.server_time)
        due = self._due(answer)
        chunks, failure = await _download(host, due)
        outcome = await self._detect(chunks)
        self._conclude(due, replace(outcome, failure=outcome.failure or failure))

    def _due(self, answer: IndexAnswer) -> range:
        if answer.index is None:
            return range(0)
        return due_chunks(answer.index, self.store.record.last_processed_chunk)

    async def _detect(self, chunks: Sequence[bytes]) -> Outcome:
        """Have all `chunks` matched in one detection, or those before the first that is refused."""
        # A positive user's phone fetches what all others fetch, but has nothing to learn from it.
        if not chunks or isinstance(self.store.record.user, Positive):
            return Outcome(processed=len(chunks))
        try:
            detection = await self._detected(chunks)
        except RefusedExportError as error:
            # A refused call does not count against the quota.
            return replace(
                await self._detect(chunks[: error.position]), failure=_refusal_failure(error)
            )
        except DetectionQuotaError:
            return Outcome(failure=CheckFailure.QUOTA)
        except (UntrustedClockError, StoreError, DeviceUnreachableError):
            return Outcome(failure=CheckFailure.FRAMEWORK)
        return Outcome(processed=len(chunks), detection=detection)

    async def _detected(self, chunks: Sequence[bytes]) -> Detection:
        settings = self.store.record.settings.values
        summary = await self.framework.detect_exposures(
            chunks, ExposureConfiguration(**msgspec.structs.asdict(settings.exposure_configuration))
        )
        if not calls_for_infos(self.store.record, summary, settings):
            return Detection(summary)
        return Detection(summary, tuple(await self.framework.exposure_info(_told_with_the_outcome)))

    def _conclude(self, due: range, outcome: Outcome) -> None:
        """Store what was found together with how far it reaches: neither without the other.

        What it means for analytics is stored with them, to be decided on at the end of this
        session, or of the next one should the phone be killed before.
        """
        now = self.clock.now()

        def concluded(record: AppRecord) -> AppRecord:
            checked = msgspec.structs.replace(
                record,
                failure=outcome.failure,
                last_check=record.last_check if outcome.failure else now,
                last_processed_chunk=(
                    due[outcome.processed - 1] if outcome.processed else record.last_processed_chunk
                ),
            )
            if outcome.detection is not None:
                checked = after_detection(checked, outcome.detection, now=now)
            is_warned = len(checked.notifications) > len(record.notifications)
            detected = _what_was_detected(outcome, is_warned=is_warned)
            return msgspec.structs.replace(
                checked, analytics=with_detection(checked.analytics, detected)
            )

        self.store.update(concluded)

    async def _learn_time(self, server_time: ServerTime | None) -> None:
        if server_time is None:
            return
        self.server_now = server_time.at(self.clock.now())
        self.store.update(lambda record: msgspec.structs.replace(record, server_time=server_time))
        is_doubted = InactiveReason.CLOCK_TURNED_BACK in self.framework.status().reasons
        if is_doubted and abs(server_time.ahead) <= _RIGHT_CLOCK:
            await self.framework.trust_clock()

    def _reminded(self, record: AppRecord) -> AppRecord:
        now = self.clock.now()
        status = phone_status(
            record, self.framework.status(), build_number=self.build.number, now=now
        )
        return reminded(record, status.issues_to_tell, now=now)


def _what_was_detected(outcome: Outcome, *, is_warned: bool) -> Detected | None:
    """Return what a check came to; None where it was not completed and did not warn."""
    if is_warned:
        return Detected.EXPOSURE
    return None if outcome.failure else Detected.NO_EXPOSURE


async def _download(
    host: PublicHost, due: Sequence[int]
) -> tuple[list[bytes], CheckFailure | None]:
    """Fetch chunk after chunk until all are here or one fails; a later one is never taken first."""
    chunks: list[bytes] = []
    for number in due:
        try:
            chunks.append(await host.chunk(number))
        except (ServerUnreachableError, UnexpectedAnswerError) as error:
            return chunks, _download_failure(error)
    return chunks, None


async def _told_with_the_outcome() -> bool:
    """Promise the framework that the user is told: the warning is stored with the infos."""
    return True


def _download_failure(error: Exception) -> CheckFailure:
    if isinstance(error, ServerUnreachableError):
        return CheckFailure.UNREACHABLE
    return CheckFailure.UNEXPECTED_ANSWER


def _refusal_failure(error: RefusedExportError) -> CheckFailure:
    if isinstance(error.__cause__, SignatureMismatchError):
        return CheckFailure.CHUNK_NOT_SIGNED
    return CheckFailure.CHUNK_DAMAGED
