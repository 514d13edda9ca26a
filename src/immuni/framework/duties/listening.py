"""Listening for other phones."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from immuni.ble import SCAN_DURATION, AdvertisementHeard, Radio, RadioError, next_scan
from immuni.entropy import Entropy
from immuni.framework.duties.duty import RETRY_PERIOD, store_fault
from immuni.framework.status import InactiveReason
from immuni.framework.store import Store
from immuni.framework.store.encrypted_database import StoreError
from immuni.framework.store.sightings import sightings_of


class Listening:
    """The duty that scans now and then, and keeps what it hears."""

    def __init__(self, store: Store, radio: Radio, entropy: Entropy) -> None:
        """Begin at rest."""
        self._store = store
        self._radio = radio
        self._entropy = entropy
        self._due: datetime | None = None
        self._last_scan: datetime | None = None
        self.fault: InactiveReason | None = None

    def next_due(self) -> datetime | None:
        """Return when the next scan begins."""
        return self._due

    def begin(self, now: datetime) -> None:
        """Scan from `now` on."""
        self._due = now

    async def rest(self) -> None:
        """Scan no more; a scan that is going on is not kept."""
        self._due = None
        self._last_scan = None
        self.fault = None

    async def act(self, now: datetime) -> None:
        """Scan once."""
        planned = self._due = now + RETRY_PERIOD
        fault = None
        heard: Sequence[AdvertisementHeard] = ()
        try:
            heard = await self._radio.scan(SCAN_DURATION)
        except RadioError:
            fault = InactiveReason.RADIO_LOST
        # Told to rest, or to begin anew, meanwhile: nothing of this scan counts any more.
        if self._due is not planned:
            return
        self.fault = fault
        if fault is not None:
            return
        self._due = next_scan(now, self._entropy)
        since_scan = self._since_scan(now)
        self._last_scan = now
        self._keep(heard, since_scan)

    def _since_scan(self, now: datetime) -> timedelta | None:
        # On a clock that was set back in between, nobody can say.
        if self._last_scan is None or now < self._last_scan:
            return None
        return now - self._last_scan

    def _keep(self, heard: Sequence[AdvertisementHeard], since_scan: timedelta | None) -> None:
        # An empty scan leaves no trace: the database does not say when the radio was on.
        if sightings := sightings_of(heard):
            try:
                self._store.sightings.add(sightings, since_scan=since_scan)
            except StoreError as error:
                self.fault = store_fault(error)
