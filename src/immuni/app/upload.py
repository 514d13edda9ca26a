"""One visit to the upload screen, from the code to the last byte.

Source:
    Mobile Client, "Upload"; The one-time password.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final

from msgspec.structs import replace

from immuni.api import Upload
from immuni.app.build import Build
from immuni.app.contents import UploadContents, build_upload, describe, newest_keys
from immuni.app.framework_port import Framework
from immuni.app.lockout import FailedChecks, after_failure, locked_until
from immuni.app.packet import Envelope, check_packet, upload_packet
from immuni.app.record import AppRecord
from immuni.app.sent import SentKind, with_sent
from immuni.app.state import after_upload
from immuni.app.storage import AppStore
from immuni.app.transport import HttpAnswer, ServerAddress, exchange
from immuni.app.upload_errors import (
    CheckLockedError,
    CodeExpiredError,
    CodeNotAuthorisedError,
    ServerBusyError,
    ServerRefusedError,
    UploadOrderError,
)
from immuni.clock import Clock
from immuni.keys import TemporaryExposureKey
from immuni.otp import Otp, otp_hash

TIMEOUT: Final = timedelta(seconds=60)
CODE_KEPT: Final = timedelta(minutes=30)
"""How long a code that nobody has confirmed waits for the user to come back to it."""
CHECKED_KEPT: Final = timedelta(seconds=150)
"""The same of a confirmed one: as long as the server knows it by default. After that it asks for
a new one, which the phone need not try out."""
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadDesk:
    """What every visit to the upload screen works with."""

    build: Build
    store: AppStore
    framework: Framework
    clock: Clock


class UploadFlow:
    """One visit to the upload screen.

    The steps follow each other: check, share the keys, send. Each can fail and be tried again;
    until the last one has succeeded nothing has left the phone.

    Attributes:
        otp: The code to dictate. It is never stored.

    Privacy:
        Every request to the server has the same size and the same header names.
    """

    def __init__(self, otp: Otp, desk: UploadDesk) -> None:
        """Begin with a new code."""
        self.otp = otp
        self._desk = desk
        self._is_checked = False
        self._kept_until = desk.clock.now() + CODE_KEPT
        self._keys: tuple[TemporaryExposureKey, ...] | None = None
        self._busy = asyncio.Lock()

    @property
    def is_checked(self) -> bool:
        """Whether the server knows the code."""
        return self._is_checked

    @property
    def is_alive(self) -> bool:
        """Whether it is worth going on with; judged by the clock alone, nobody is asked."""
        return self._desk.clock.now() < self._kept_until

    @property
    def contents(self) -> UploadContents | None:
        """What will be sent; None until the user has shared the keys."""
        return None if self._keys is None else describe(self._upload())

    async def settled(self) -> None:
        """Wait until no step is under way."""
        async with self._busy:
            pass

    async def check(self) -> None:
        """Ask the server whether the operator has authorised the code.

        Raises:
            CheckLockedError: The last failure was too recent; nothing was asked.
            CodeNotAuthorisedError: The operator has not; the next check is locked for a while.
            ServerUnreachableError, ServerBusyError, ServerRefusedError: Nothing was learnt.
        """
        async with self._busy:
            now = self._desk.clock.now()
            until = locked_until(self._desk.store.record.failed_checks, now)
            if until is not None:
                raise CheckLockedError(until)
            answer = await self._ask(check_packet(self._envelope()))
            if answer.status == HTTPStatus.UNAUTHORIZED:
                self._desk.store.update(lambda record: _with_failure(record, now))
                raise CodeNotAuthorisedError("the code is not authorised")
            _expect_acceptance(answer)
            self._desk.store.update(lambda record: replace(record, failed_checks=FailedChecks()))
            self._is_checked = True
            self._kept_until = now + CHECKED_KEPT

    async def share_keys(self, *, consent: bool) -> UploadContents:
        """Hand the user's answer to the framework's question on, and take the keys it then gives.

        Args:
            consent: Whether the user agreed to share the keys with the App.

        Returns:
            What will be sent.

        Raises:
            ConsentRefusedError: The user did not agree; no key was touched.
            UploadOrderError: The code was not checked, or the province is not known.
        """

        async def answered() -> bool:
            return consent

        async with self._busy:
            if not self._is_checked or self._desk.store.record.province is None:
                raise UploadOrderError("keys are shared after the code was checked")
            history = await self._desk.framework.tek_history(answered)
            # Kept for a second try: the server takes the same keys twice, should an answer be lost.
            self._keys = newest_keys(history)
            return describe(self._upload())

    async def send(self) -> None:
        """Upload, and become positive.

        Raises:
            CodeExpiredError: Too much time has passed since the operator confirmed the code.
            ServerUnreachableError: Whether the upload arrived is not known; trying again is safe.
            ServerBusyError, ServerRefusedError: Nothing was taken.
            UploadOrderError: The keys were not shared.
        """
        async with self._busy:
            if self._keys is None:
                raise UploadOrderError("the upload follows the user's consent")
            answer = await self._ask(upload_packet(self._envelope(), self._upload()))
            if answer.status == HTTPStatus.UNAUTHORIZED:
                raise CodeExpiredError("the code expired before the upload")
            _expect_acceptance(answer)
            self._desk.store.update(self._positive)

    def _positive(self, record: AppRecord) -> AppRecord:
        now = self._desk.clock.now()
        return replace(
            record,
            user=after_upload(now.astimezone(UTC).date()),
            unseen=None,
            sent=with_sent(record.sent, SentKind.UPLOAD, now),
        )

    def _upload(self) -> Upload:
        record = self._desk.store.record
        if self._keys is None or record.province is None:
            raise UploadOrderError("the upload follows the user's consent")
        return build_upload(
            self._keys,
            record.summaries,
            province=record.province,
            today=self._desk.clock.now().astimezone(UTC).date(),
            settings=record.settings.values,
        )

    def _envelope(self) -> Envelope:
        return Envelope(
            authority=self._address().authority,
            token=otp_hash(self.otp),
            client_clock=self._desk.clock.now(),
            size=self._desk.store.record.settings.values.teks_packet_size,
        )

    def _address(self) -> ServerAddress:
        return ServerAddress.parse(self._desk.build.upload_url, tls=self._desk.build.tls)

    async def _ask(self, packet: bytes) -> HttpAnswer:
        answer = await exchange(packet, self._address(), within=TIMEOUT)
        if answer.status in _BUSY:
            raise ServerBusyError("the server asks for patience")
        return answer


def _with_failure(record: AppRecord, now: datetime) -> AppRecord:
    return replace(record, failed_checks=after_failure(record.failed_checks, now))


def _expect_acceptance(answer: HttpAnswer) -> None:
    if answer.status != HTTPStatus.NO_CONTENT:
        raise ServerRefusedError(f"the server answered {answer.status}")
