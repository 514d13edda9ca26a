"""A radio that goes on by itself when its adapter is lost and found again."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from immuni.ble.advertisement import BroadcastPayload
from immuni.ble.radio import AdvertisementHeard, Radio, RadioError, RadioLostError

OpenRadio = Callable[[], Awaitable[Radio]]
"""Opens the adapter and sets it up: it is silent then, whatever it did before."""


class ReopeningRadio:
    """Opens its adapter at the first use, and anew at the next use after it was lost.

    Nothing is broadcast again by itself: whether the former pair of identifier and address still
    stands, its user knows. `broadcasting` turns False as soon as the loss is noticed.
    """

    def __init__(
        self, open_radio: OpenRadio, *, give_back: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Open nothing yet.

        Args:
            open_radio: Opens the adapter, as `immuni.ble.open_adapter` does.
            give_back: Called once at the end.
        """
        self._open_radio = open_radio
        self._give_back = give_back
        self._radio: Radio | None = None
        self._closed = False
        # A lost adapter may go on by itself with what it was told last.
        self._silent = True
        # Two duties that find the adapter lost must not both open it.
        self._lock = asyncio.Lock()

    @property
    def tx_power_dbm(self) -> int:
        """The transmit power of the adapter that is open; 0 while none is."""
        return 0 if self._radio is None else self._radio.tx_power_dbm

    @property
    def broadcasting(self) -> bool:
        """Whether what was started last goes on."""
        return self._radio is not None and self._radio.broadcasting

    async def open(self) -> None:
        """Open the adapter, unless it is open and answers.

        Raises:
            RadioError: It cannot be opened at present.
        """
        await self._opened()

    async def start_broadcast(self, payload: BroadcastPayload, address: bytes) -> None:
        """Broadcast: see `Radio.start_broadcast`."""
        radio = await self._opened()
        self._silent = False
        try:
            await radio.start_broadcast(payload, address)
        except RadioError:
            await self._drop(radio)
            raise

    async def stop_broadcast(self) -> None:
        """Fall silent, if need be by opening a lost adapter anew: see `Radio.stop_broadcast`."""
        if self._silent:
            return
        radio = await self._opened()
        try:
            await radio.stop_broadcast()
        except RadioError:
            await self._drop(radio)
            raise
        self._silent = True

    async def scan(self, duration: timedelta) -> list[AdvertisementHeard]:
        """Listen: see `Radio.scan`."""
        radio = await self._opened()
        try:
            return await radio.scan(duration)
        except RadioLostError:
            # Only then: a refused scan is no reason to interrupt the broadcast.
            await self._drop(radio)
            raise

    async def close(self) -> None:
        """Fall silent and free the adapter: see `Radio.close`."""
        if self._closed:
            return
        with suppress(RadioError):
            await self.stop_broadcast()
        async with self._lock:
            self._closed = True
            await self._let_go()
        if self._give_back is not None:
            await self._give_back()

    async def _opened(self) -> Radio:
        async with self._lock:
            if self._closed:
                raise RadioLostError("the radio was closed")
            if self._radio is not None:
                try:
                    await self._radio.open()
                except RadioLostError:
                    await self._let_go()
                else:
                    return self._radio
            self._radio = await self._open_radio()
            self._silent = True
            return self._radio

    async def _drop(self, radio: Radio) -> None:
        """Close `radio`, unless another one is open already."""
        async with self._lock:
            if self._radio is radio:
                await self._let_go()

    async def _let_go(self) -> None:
        radio, self._radio = self._radio, None
        if radio is not None:
            with suppress(RadioError):
                await radio.close()
