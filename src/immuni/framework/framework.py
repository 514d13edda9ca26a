"""The face of the A/G Framework: what an App may ask of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from immuni.ble import Radio
from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.errors import ImmuniError
from immuni.export import VerificationKey
from immuni.framework.broadcasting import Broadcasting
from immuni.framework.clock_watch import ClockWatch
from immuni.framework.detection import detect
from immuni.framework.duty import Duty, Purging
from immuni.framework.key_life import keys_to_hand_out
from immuni.framework.listening import Listening
from immuni.framework.status import InactiveReason, Status
from immuni.framework.store import Store
from immuni.framework.switches import Switches, saved_switches
from immuni.keys import TemporaryExposureKey, interval_at
from immuni.risk import ExposureConfiguration, ExposureDetectionSummary, ExposureInfo

MAX_DETECTIONS_PER_DAY: Final = 15

Question = Callable[[], Awaitable[bool]]
"""Shows something to the user; returns whether they agreed, or have seen it."""


class DetectionQuotaError(ImmuniError, RuntimeError):
    """The detections of this UTC day are used up; nothing was read."""


class UntrustedClockError(ImmuniError, RuntimeError):
    """The clock was turned back, so that published keys could pass for fresh; nothing was read."""


class ConsentRefusedError(ImmuniError, PermissionError):
    """The user did not agree; no key was handed out and nothing changed."""


class UserNotToldError(ImmuniError, PermissionError):
    """The user was not told of the exposure; nothing of it was handed out."""


class ExposureNotificationFramework:
    """The exposure notifications of one device.

    It is a `immuni.framework.life.Phone`: drive it with `run` or `live_until`. Whatever switches
    were on when it was closed, are on when it is made again.

    Privacy:
        An App learns that there was an exposure, its day, length, closeness and score, never
        which key or identifier gave it away. The phone's own keys leave it after consent only.
    """

    def __init__(
        self,
        *,
        store: Store,
        radio: Radio,
        clock: Clock,
        entropy: Entropy,
        verification_keys: Sequence[VerificationKey],
    ) -> None:
        """Go on where the device left off; nothing is sent before it is driven.

        Args:
            store: The device's database.
            radio: Its radio.
            clock: Says what time it is.
            entropy: Makes keys and addresses, and decides on random moments.
            verification_keys: The pinned keys: one of them must have signed what is detected.
        """
        self._store = store
        self._radio = radio
        self._clock = clock
        self._entropy = entropy
        self._verification_keys = tuple(verification_keys)
        self._broadcasting = Broadcasting(store, radio, entropy)
        self._listening = Listening(store, radio, entropy)
        self._purging = Purging(store)
        self._watch = ClockWatch(store)
        self._switches = saved_switches(store)
        self._detecting = asyncio.Lock()
        self._purging.begin(clock.now())
        if self._switches.all_on:
            self._begin(clock.now())

    @property
    def duties(self) -> tuple[Duty, ...]:
        """What the device does again and again."""
        return self._broadcasting, self._listening, self._purging

    def next_due(self) -> datetime | None:
        """Return when any duty is due next."""
        due = [when for duty in self.duties if (when := duty.next_due()) is not None]
        return min(due, default=None)

    async def act(self, now: datetime) -> None:
        """Do every duty that is due at `now`."""
        self.notice(now)
        for duty in self.duties:
            due = duty.next_due()
            if due is not None and due <= now:
                await duty.act(now)

    def notice(self, now: datetime) -> None:
        """Learn what time it is: where the clock went back, everything is planned anew."""
        if self._watch.notice(now):
            for duty in self.duties:
                if duty.next_due() is not None:
                    duty.begin(now)

    def status(self) -> Status:
        """Return whether exposure notifications work, with every reason why not."""
        faults = frozenset(duty.fault for duty in self.duties if duty.fault is not None)
        reasons = self._switches.reasons() | faults
        if self._watch.is_behind(self._clock.now()):
            reasons |= {InactiveReason.CLOCK_TURNED_BACK}
        return Status(reasons, self._store.key_storage)

    async def authorise(self) -> None:
        """Note that the user allows the App to use exposure notifications."""
        await self._switch(replace(self._switches, permitted=True))

    async def revoke(self) -> None:
        """Note that the user no longer allows it: the radio falls silent."""
        await self._switch(replace(self._switches, permitted=False))

    async def start(self) -> None:
        """Broadcast and listen, as soon as nothing stands in the way."""
        await self._switch(replace(self._switches, started=True))

    async def stop(self) -> None:
        """Broadcast and listen no more; what is stored stays for its time."""
        await self._switch(replace(self._switches, started=False))

    async def switch_bluetooth(self, *, on: bool) -> None:
        """Note that the device's Bluetooth was switched on or off."""
        await self._switch(replace(self._switches, bluetooth=on))

    async def detect_exposures(
        self, exports: Sequence[bytes], configuration: ExposureConfiguration
    ) -> ExposureDetectionSummary:
        """Find out whether the owners of published keys were near.

        Args:
            exports: TEK Chunk files, in the order of publication; together one detection.
            configuration: The parameters of the risk model.

        Raises:
            DetectionQuotaError: 15 detections were held this UTC day.
            UntrustedClockError: The clock was turned back.
            RefusedExportError: Some file is damaged or not signed by a pinned key. Nothing of
                any file was used, and the detection does not count.
            StoreError: What was found could not be kept.
        """
        async with self._detecting:
            now = self._clock.now()
            self._vet_detection(now)
            assessment = await asyncio.to_thread(
                detect,
                tuple(exports),
                self._store.sightings.all(),
                configuration,
                verification_keys=self._verification_keys,
                now=now,
            )
            self._store.results.add(now, assessment.infos)
        return assessment.summary

    async def exposure_info(self, tell: Question) -> list[ExposureInfo]:
        """Return the exposures of the last detection that found any.

        Args:
            tell: Tells the user that they were exposed, and returns whether they were told.

        Raises:
            UserNotToldError: They were not.
        """
        if not await tell():
            raise UserNotToldError("exposures are told to the user before the App learns of them")
        return self._store.results.latest_exposures()

    async def tek_history(self, consent: Question) -> list[TemporaryExposureKey]:
        """Return the device's keys of the last 14 days, oldest first.

        Today's key ends at once: it is never broadcast again, and the day goes on with another.

        Args:
            consent: Asks the user whether the App may have the keys.

        Raises:
            ConsentRefusedError: It may not.
            StoreError: The keys could not be read, or not be marked; none was handed out.
        """
        if not await consent():
            raise ConsentRefusedError("the user did not agree to share the keys")
        now = self._clock.now()
        keys = keys_to_hand_out(self._store.keys.all(), interval_at(now))
        self._store.keys.release(keys)
        if self._broadcasting.next_due() is not None:
            self._broadcasting.begin(now)
            await self._broadcasting.act(now)
        return [key.tek for key in keys]

    async def delete_everything(self) -> None:
        """Fall silent and destroy all that is stored, with its key; the device begins anew."""
        bluetooth = self._switches.bluetooth
        await self._rest()
        self._store.erase()
        self._watch = ClockWatch(self._store)
        self._switches = Switches(bluetooth=bluetooth)
        self._switches.save(self._store)

    def trust_clock(self) -> None:
        """Believe the clock although it was turned back, and forget what it dated later.

        For an App that compared it with the servers': a clock that once ran far ahead would
        otherwise hold up every detection until its time comes.
        """
        self._watch.trust(self._clock.now())

    async def close(self) -> None:
        """Fall silent and give radio and database back; the switches stay as they are."""
        await self._rest()
        await self._purging.rest()
        await self._radio.close()
        self._store.close()

    async def _switch(self, switches: Switches) -> None:
        switches.save(self._store)
        self._switches = switches
        if not switches.all_on:
            await self._rest()
        elif self._broadcasting.next_due() is None:
            now = self._clock.now()
            self._begin(now)
            await self._broadcasting.act(now)

    def _begin(self, now: datetime) -> None:
        self._broadcasting.begin(now)
        self._listening.begin(now)

    async def _rest(self) -> None:
        await self._listening.rest()
        await self._broadcasting.rest()

    def _vet_detection(self, now: datetime) -> None:
        self.notice(now)
        if self._watch.is_behind(now):
            raise UntrustedClockError("the clock was turned back since it was last read")
        held = self._store.results.held_on(now.astimezone(UTC).date())
        if held >= MAX_DETECTIONS_PER_DAY:
            raise DetectionQuotaError(
                f"at most {MAX_DETECTIONS_PER_DAY} detections a UTC day, {held} were held"
            )
