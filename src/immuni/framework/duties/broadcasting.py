"""Sending the phone's identifier, and changing it."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from immuni.ble import BroadcastPayload, Radio, RadioError, next_rotation, random_address
from immuni.crypto import (
    BluetoothMetadata,
    derive_aemk,
    derive_rpik,
    encrypt_metadata,
    generate_rpi,
)
from immuni.entropy import Entropy
from immuni.framework.duties.duty import RETRY_PERIOD, store_fault
from immuni.framework.duties.silencing import Silencing
from immuni.framework.key_life import current_key, may_begin_key
from immuni.framework.status import InactiveReason
from immuni.framework.store import Store
from immuni.framework.store.encrypted_database import StoreError
from immuni.framework.store.own_keys import Broadcast, OwnKey
from immuni.keys import ENIntervalNumber, generate_tek, interval_at, start_of

RENEWAL_PERIOD: Final = timedelta(minutes=10)
"""Less than an adapter goes on for by itself."""


class Broadcasting:
    """The duty that broadcasts; it changes identifier and address together.

    Attributes:
        silencing: The duty that goes on where a stop failed.
    """

    def __init__(self, store: Store, radio: Radio, entropy: Entropy) -> None:
        """Begin at rest."""
        self._store = store
        self._radio = radio
        self._entropy = entropy
        self._due: datetime | None = None
        self._started_at: datetime | None = None
        self._sent: tuple[Broadcast, BroadcastPayload] | None = None
        # A change and a stop must not cross each other on their way to the adapter.
        self._lock = asyncio.Lock()
        self.silencing = Silencing(radio, self._lock)
        self.fault: InactiveReason | None = None

    def next_due(self) -> datetime | None:
        """Return when identifier and address change next.

        A radio is told both again before it falls silent by itself; one that has lost them, at
        most once a minute.
        """
        if self._due is None or self._started_at is None:
            return self._due
        unattended = RENEWAL_PERIOD if self._radio.broadcasting else RETRY_PERIOD
        return min(self._due, self._started_at + unattended)

    def begin(self, now: datetime) -> None:
        """Broadcast from `now` on."""
        self._due = now

    async def rest(self) -> None:
        """Fall silent until told to begin; where that fails, `silencing` goes on trying."""
        self._due = None
        async with self._lock:
            self.fault = self._started_at = None
            await self.silencing.fall_silent()

    async def act(self, now: datetime) -> None:
        """Go on with the present identifier and address, or change both.

        An identifier whose time is not over, from before a restart for instance, goes on with the
        address that it had: with a new one it would link the two.
        """
        async with self._lock:
            if self._due is None:
                return
            self._due = now + RETRY_PERIOD
            self._started_at = None
            try:
                broadcast = self._present(now) or self._renewed(now)
            except StoreError as error:
                await self._fall_silent(store_fault(error))
                return
            if broadcast is None:
                await self._fall_silent(InactiveReason.CLOCK_TURNED_BACK)
            else:
                await self._send(broadcast, now)

    async def _send(self, broadcast: Broadcast, now: datetime) -> None:
        # From here on this duty answers for what the radio does.
        await self.silencing.rest()
        try:
            await self._radio.open()
            await self._radio.start_broadcast(self._payload(broadcast), broadcast.address)
        except RadioError:
            self.fault = InactiveReason.RADIO_LOST
        else:
            self.fault = None
            # Told to rest meanwhile: it waits for the lock, to stop what was just started.
            if self._due is not None:
                self._due = broadcast.ends_at
                self._started_at = now

    def _payload(self, broadcast: Broadcast) -> BroadcastPayload:
        # One identifier goes with one AEM, also where another adapter took over meanwhile.
        if self._sent is None or self._sent[0] != broadcast:
            payload = payload_of(broadcast, tx_power_dbm=self._radio.tx_power_dbm)
            self._sent = (broadcast, payload)
        return self._sent[1]

    async def _fall_silent(self, fault: InactiveReason) -> None:
        self.fault = fault
        try:
            await self._radio.stop_broadcast()
        except RadioError:
            self.fault = InactiveReason.RADIO_LOST

    def _present(self, now: datetime) -> Broadcast | None:
        broadcast = self._store.keys.broadcast()
        if broadcast is None or not broadcast.may_go_on_at(now):
            return None
        return broadcast

    def _renewed(self, now: datetime) -> Broadcast | None:
        interval = interval_at(now)
        key = self._key(interval)
        if key is None:
            return None
        tek_ends_at = start_of(key.tek.rolling_end_number)
        ends_at = next_rotation(now, tek_ends_at=tek_ends_at, entropy=self._entropy)
        broadcast = Broadcast(key, interval, random_address(self._entropy), now, ends_at)
        self._store.keys.keep_broadcast(broadcast)
        return broadcast

    def _key(self, interval: ENIntervalNumber) -> OwnKey | None:
        keys = self._store.keys.all()
        key = current_key(keys, interval)
        if key is None and may_begin_key(keys, interval):
            key = self._store.keys.add(generate_tek(interval, self._entropy))
        return key


def payload_of(broadcast: Broadcast, *, tx_power_dbm: int) -> BroadcastPayload:
    """Return what is sent, with the transmit power encrypted beside the identifier.

    Source:
        Cryptography Specification v1.2, "Key Schedule for Exposure Notification".
    """
    tek = broadcast.key.tek
    rpi = generate_rpi(derive_rpik(tek), broadcast.interval)
    metadata = BluetoothMetadata(tx_power_dbm=tx_power_dbm)
    return BroadcastPayload(rpi, encrypt_metadata(derive_aemk(tek), rpi, metadata))
