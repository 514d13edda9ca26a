"""What is done for a group of checks, or of uploads, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from immuni.api.ingestion import Tek, Upload
from immuni.backend.counting import Counted, DailyCounters, delay_counter
from immuni.backend.epidemiological import EpidemiologicalInfo, onset_class, seal_epidemiological
from immuni.backend.errors import OtpUnknownError
from immuni.backend.infectiousness import Diagnosis, Infectiousness
from immuni.backend.ingestion.rules import keys_to_keep
from immuni.backend.ingestion.store import Grant, IngestionStore, Redemption
from immuni.backend.sealing import SealingKey
from immuni.clock import Clock
from immuni.otp import OtpHash


@dataclass(frozen=True, slots=True)
class VettedUpload:
    """An upload in which nothing is wrong, and the code that came with it."""

    otp: OtpHash = field(repr=False)
    upload: Upload = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Finds out what codes grant, and does it.

    Attributes:
        store: Where everything is kept.
        checked_lifetime: How long a code lives from its authorisation, once checked.
        infectiousness: Says of which days keys are kept.
        sealing_key: Seals Epidemiological Info for analytics.
        counters: Count codes that were checked, and how soon they were used.
        clock: The server's clock.
    """

    store: IngestionStore
    checked_lifetime: timedelta
    infectiousness: Infectiousness
    sealing_key: SealingKey
    counters: DailyCounters
    clock: Clock

    async def check(self, otps: Sequence[OtpHash]) -> list[bool]:
        """Tell for each code whether it is authorised; none is consumed.

        Raises:
            UnavailableError: The database does not answer.
        """
        now = self.clock.now()
        checks = await self.store.check(otps, now=now, checked_lifetime=self.checked_lifetime)
        self.counters.count(Counted.CHECKED, now, times=checks.first)
        return checks.authorised

    async def accept(self, group: Sequence[VettedUpload]) -> list[Grant | OtpUnknownError]:
        """Spend codes, keep keys and enclose Epidemiological Info: everything, or nothing.

        Returns:
            For each upload what its code granted, or that it grants nothing.

        Raises:
            UnavailableError: The database does not answer; nobody knows whether it kept the group.
        """
        now = self.clock.now()
        redemptions = [Redemption(each.otp, each.upload.teks) for each in group]
        async with self.store.transaction() as work:
            outcomes = await work.redeem(redemptions, now=now)
            granted = [
                (each.upload, outcome)
                for each, outcome in zip(group, outcomes, strict=True)
                if isinstance(outcome, Grant) and not outcome.repeated
            ]
            kept = [self._kept(upload, grant.diagnosis) for upload, grant in granted]
            await work.keep(kept, received_on=now.date())
            if granted:
                told = [self._info(upload, grant.diagnosis, now) for upload, grant in granted]
                sealed = seal_epidemiological(told, self.sealing_key)
                await work.enclose(sealed, received_on=now.date())
        for _, grant in granted:
            self.counters.count(delay_counter(now - grant.authorised_at), now)
        return outcomes

    def _kept(self, upload: Upload, diagnosis: Diagnosis) -> tuple[list[Tek], Diagnosis]:
        return keys_to_keep(upload.teks, diagnosis, self.infectiousness), diagnosis

    def _info(self, upload: Upload, diagnosis: Diagnosis, now: datetime) -> EpidemiologicalInfo:
        return EpidemiologicalInfo(
            province=upload.province,
            onset=onset_class(diagnosis.onset_on, uploaded_on=now.date()),
            summaries=upload.exposure_detection_summaries,
        )
