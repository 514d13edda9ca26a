"""What a background session does for analytics, at its end.

Source:
    Mobile Client, "Background session"; Analytics, "When a phone sends".
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec.structs import replace

from immuni.api import (
    AnalyticsToken,
    AppleOperationalInfo,
    GoogleOperationalInfo,
    Platform,
    Salt,
    attestation_nonce,
)
from immuni.api.limits import SALT_LENGTH
from immuni.app.analytics.contents import dummy_info, genuine_info
from immuni.app.analytics.decision import (
    Sending,
    after_contact,
    after_detection,
    may_send,
)
from immuni.app.analytics.memory import AnalyticsMemory, Detected
from immuni.app.analytics.packets import apple_packet, google_packet, token_packet
from immuni.app.analytics.ports import Attestor, NotVouchedError, Vouchers
from immuni.app.analytics.tokens import (
    random_digits,
    usable_digits,
    with_authorisation,
    with_token,
)
from immuni.app.build import Build
from immuni.app.framework_port import Framework
from immuni.app.record import AppRecord
from immuni.app.sent import SentKind, with_sent
from immuni.app.storage import AppStore
from immuni.app.transport import HttpAnswer, ServerAddress, ServerUnreachableError, exchange
from immuni.entropy import Entropy

TIMEOUT: Final = timedelta(seconds=60)
_NOTED: Final = {
    Sending.WITH_EXPOSURE: SentKind.REPORT_WITH_EXPOSURE,
    Sending.WITHOUT_EXPOSURE: SentKind.REPORT_WITHOUT_EXPOSURE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """Sends Operational Info, or a dummy, or nothing, and cares for the analytics token.

    Privacy:
        At most one report with exposure and one without in a calendar month. A decision is stored
        before it is acted upon, and nothing is tried twice: a report that was lost on the way, or
        with its process, stays lost.
    """

    build: Build
    store: AppStore
    framework: Framework
    entropy: Entropy
    vouchers: Vouchers

    async def end_session(self, *, now: datetime) -> None:
        """Send what is due after the detection that is undecided, and have the token authorised.

        What a network or the platform can do raises nothing.

        Args:
            now: The server's clock, as the server told it in this session.

        Raises:
            StoreError: The decision could not be stored; nothing was sent.
        """
        detected = self.store.record.analytics.undecided
        sending = self._decide(detected, now)
        with suppress(ServerUnreachableError, NotVouchedError):
            if sending is not None:
                await self._send(sending, now)
        with suppress(ServerUnreachableError, NotVouchedError):
            await self._refresh_token(detected, now)

    def _decide(self, detected: Detected | None, now: datetime) -> Sending | None:
        sending: Sending | None = None

        def decided(record: AppRecord) -> AppRecord:
            nonlocal sending
            memory = self._after_contact(record, now)
            if detected is not None and self._is_vouched_for(memory, now):
                memory, sending = after_detection(
                    memory,
                    detected,
                    now=now,
                    settings=record.settings.values,
                    entropy=self.entropy,
                )
            # Together with the decision: a phone that is killed neither decides twice nor forgets.
            return replace(record, analytics=replace(memory, undecided=None))

        self.store.update(decided)
        return sending

    def _after_contact(self, record: AppRecord, now: datetime) -> AnalyticsMemory:
        if record.onboarded_at is None or record.server_time is None:
            return record.analytics
        return after_contact(
            record.analytics,
            now=now,
            installed_at=record.server_time.at(record.onboarded_at),
            settings=record.settings.values,
            entropy=self.entropy,
        )

    def _is_vouched_for(self, memory: AnalyticsMemory, now: datetime) -> bool:
        """Tell whether a report would be believed; where not, nothing is drawn nor used up."""
        match self.build.platform:
            case Platform.IOS:
                return usable_digits(memory, now) is not None
            case Platform.ANDROID:
                return self.vouchers.attestor is not None

    async def _send(self, sending: Sending, now: datetime) -> None:
        is_dummy = sending is Sending.DUMMY
        info = dummy_info(self.entropy, now=now, build=self.build.number)
        if not is_dummy:
            genuine = genuine_info(
                self.store.record,
                self.framework.status(),
                with_exposure=sending is Sending.WITH_EXPOSURE,
                build=self.build.number,
            )
            if genuine is None:
                return
            info = genuine
        packet = await self._packet(info, is_dummy=is_dummy)
        self._note(sending, now)
        await self._exchange(packet)

    def _note(self, sending: Sending, now: datetime) -> None:
        """Tell the user's own record, before it leaves: whether it arrives is never known."""
        kind = _NOTED.get(sending)
        if kind is not None:
            self.store.update(
                lambda record: replace(record, sent=with_sent(record.sent, kind, now))
            )

    async def _packet(self, info: AppleOperationalInfo, *, is_dummy: bool) -> bytes:
        authority = self._address().authority
        attestor, token = self.vouchers.attestor, self.store.record.analytics.token
        if self.build.platform is Platform.ANDROID and attestor is not None:
            attested = await attested_info(info, attestor, self.entropy)
            return google_packet(attested, authority=authority, is_dummy=is_dummy)
        digits = random_digits(self.entropy) if is_dummy or token is None else token.digits
        return apple_packet(info, digits=digits, authority=authority, is_dummy=is_dummy)

    async def _refresh_token(self, detected: Detected | None, now: datetime) -> None:
        device_check = self.vouchers.device_check
        if self.build.platform is not Platform.IOS or device_check is None:
            return
        memory = self._with_token(detected, now).analytics
        token = memory.token
        if token is None or token.is_authorised or detected is None or not may_send(memory, now):
            return
        asked = AnalyticsToken(
            analytics_token=token.digits, device_token=await device_check.device_token()
        )
        answer = await self._exchange(token_packet(asked, authority=self._address().authority))
        if answer.status == HTTPStatus.CREATED:
            self.store.update(
                lambda record: replace(
                    record, analytics=with_authorisation(record.analytics, token.digits)
                )
            )

    def _with_token(self, detected: Detected | None, now: datetime) -> AppRecord:
        return self.store.update(
            lambda record: replace(
                record,
                analytics=with_token(
                    record.analytics,
                    now=now,
                    is_detection=detected is not None,
                    entropy=self.entropy,
                ),
            )
        )

    async def _exchange(self, packet: bytes) -> HttpAnswer:
        return await exchange(packet, self._address(), within=TIMEOUT)

    def _address(self) -> ServerAddress:
        return ServerAddress.parse(self.build.analytics_url, tls=self.build.tls)


async def attested_info(
    info: AppleOperationalInfo, attestor: Attestor, entropy: Entropy
) -> GoogleOperationalInfo:
    """Return a report of an Android phone, with an attestation that was made for it.

    A dummy is attested too: without, its size would tell it, and that Google was not asked.

    Raises:
        NotVouchedError: The platform does not attest.
    """
    salt = Salt(entropy.token(SALT_LENGTH))
    attestation = await attestor.attest(attestation_nonce(info, salt))
    return GoogleOperationalInfo(
        **msgspec.structs.asdict(info), salt=salt, signed_attestation=attestation
    )
