"""What is done for a group of reports, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from immuni.api.encoding import Salt
from immuni.backend.analytics.rules import OperationalRecord
from immuni.backend.analytics.store import ReportWork, TokenClaim, report_transaction
from immuni.clock import Clock
from immuni.database import Pool


@dataclass(frozen=True, slots=True)
class Report:
    """Operational Info, and what vouches for it.

    Attributes:
        record: What would be kept.
        claim: The analytics token of an iOS phone; the salt of an Android phone's attestation, in
            which nothing is wrong otherwise.
    """

    record: OperationalRecord
    claim: TokenClaim | Salt = field(repr=False)


class Acceptance:
    """Keeps the reports for which something vouches that has not vouched too often."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        """Keep in the analytics database behind `pool`."""
        self._pool = pool
        self._clock = clock

    async def accept(self, group: Sequence[Report]) -> list[bool]:
        """Keep reports together with what vouched for them: everything, or nothing.

        Returns:
            For each report whether it is kept.

        Raises:
            UnavailableError: The database does not answer; nobody knows whether it kept the group.
        """
        async with report_transaction(self._pool) as work:
            kept = await self._claim(work, group)
            records = [each.record for each, is_kept in zip(group, kept, strict=True) if is_kept]
            for day in {record.received_on for record in records}:
                await work.open_day(day)
            await work.keep(records)
        return kept

    async def _claim(self, work: ReportWork, group: Sequence[Report]) -> list[bool]:
        """Have tokens and salts vouch, each kind in one statement."""
        today = self._clock.now().date()
        claims = [each.claim for each in group]
        tokens = [each for each in claims if isinstance(each, TokenClaim)]
        salts = [each for each in claims if isinstance(each, Salt)]
        of_tokens = iter(await work.claim_tokens(tokens, today=today))
        of_salts = iter(await work.claim_salts(salts, today=today))
        return [next(of_tokens if isinstance(each, TokenClaim) else of_salts) for each in claims]
