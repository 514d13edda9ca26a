"""The face of the A/G Framework: what an App may ask of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from time import process_time

from immuni.ble import Radio
from immuni.clock import Clock
from immuni.entropy import Entropy
from immuni.export import VerificationKey
from immuni.framework.clock_watch import ClockWatch
from immuni.framework.detecting import Detecting
from immuni.framework.duties.broadcasting import Broadcasting
from immuni.framework.duties.duty import Duty, Purging
from immuni.framework.duties.listening import Listening
from immuni.framework.duties.pausing import Pausing
from immuni.framework.radio_use import MeteredRadio
from immuni.framework.refusals import (
    ConsentRefusedError,
    Question,
    UntrustedClockError,
    UserNotToldError,
)
from immuni.framework.sharing import Sharing
from immuni.framework.status import InactiveReason, Status
from immuni.framework.store import Store
from immuni.framework.switches import Switches, saved_switches
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


class ExposureNotificationFramework:
    """The exposure notifications of one device.

    It is a `Phone`: drive it with `run` or `live_until`. Whatever switches were on when it was
    closed, are on when it is made again.

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
        self._radio = MeteredRadio(radio, clock, process_time)
        self._clock = clock
        self._broadcasting = Broadcasting(store, self._radio, entropy)
        self._listening = Listening(store, self._radio, entropy)
        self._purging = Purging(store)
        self._watch = ClockWatch(store)
        self._switches = saved_switches(store)
        self._pausing = Pausing(store, self._go_on)
        self._sharing = Sharing(store)
        self._detecting = Detecting(store, verification_keys)
        self.notice(clock.now())
        self._purging.begin(clock.now())
        if self._may_be_active:
            self._begin(clock.now())

    @property
    def duties(self) -> tuple[Duty, ...]:
        """What the device does again and again."""
        return (
            self._broadcasting,
            self._broadcasting.silencing,
            self._listening,
            self._purging,
            self._pausing,
        )

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
        if self._pausing.is_on:
            reasons |= {InactiveReason.PAUSED}
        return Status(
            reasons,
            self._store.key_storage,
            paused_until=self._pausing.until,
            radio_error=self._radio.error,
            radio_use=self._radio.use(),
        )

    async def authorise(self) -> None:
        """Note that the user allows the App to use exposure notifications."""
        await self._switch(permitted=True)

    async def revoke(self) -> None:
        """Note that the user no longer allows it: the radio falls silent.

        A permission to hand out the keys later is withdrawn with it.
        """
        try:
            self._sharing.withdraw()
        finally:
            await self._switch(permitted=False)

    async def start(self) -> None:
        """Broadcast and listen, as soon as nothing stands in the way."""
        await self._switch(started=True)

    async def stop(self) -> None:
        """Broadcast and listen no more; what is stored stays for its time."""
        await self._switch(started=False)

    async def switch_bluetooth(self, *, on: bool) -> None:
        """Note that the device's Bluetooth was switched on or off."""
        await self._switch(bluetooth=on)

    @property
    def is_bluetooth_on(self) -> bool:
        """Whether the device's Bluetooth is on, as far as the framework was told."""
        return self._switches.bluetooth

    async def pause(self, *, until: datetime | None = None) -> None:
        """Fall silent for a while; what is stored stays for its time.

        Args:
            until: When to go on by itself; without it only `resume` ends the pause.

        Raises:
            NaiveInstantError: `until` has no time zone; nothing changed.
            StoreError: The pause lasts only until the next start.
        """
        try:
            self._pausing.take(until)
        finally:
            if self._pausing.is_on:
                await self._rest()

    async def resume(self) -> None:
        """End a pause.

        Raises:
            StoreError: It will be there again at the next start.
        """
        try:
            self._pausing.end()
        finally:
            await self._go_on(self._clock.now())

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
        now = self._trusted_now()
        return await self._detecting.exposures(exports, configuration, now=now)

    async def detect_windows(
        self, exports: Sequence[bytes], mapping: DiagnosisKeysDataMapping
    ) -> None:
        """Find out the same by the second model, and keep it as exposure windows.

        Args:
            exports: TEK Chunk files, in the order of publication; together one detection.
            mapping: What the keys' days and report types count as.

        Raises:
            DetectionQuotaError: 6 detections were held this UTC day.
            UntrustedClockError: The clock was turned back.
            RefusedExportError: Some file is damaged or not signed by a pinned key. Nothing of
                any file was used, and the detection does not count.
            StoreError: What was found could not be kept.
        """
        await self._detecting.windows(exports, mapping, now=self._trusted_now())

    def exposure_windows(self) -> list[ExposureWindow]:
        """Return the exposure windows of the last 14 days.

        Privacy:
            In an order that says nothing of which are of one key. The user need not be told
            first, as on the platforms: hence the smaller number of detections.
        """
        return self._detecting.exposure_windows()

    def daily_summaries(self, configuration: DailySummariesConfiguration) -> list[DailySummary]:
        """Return the exposure windows, summed up by day, oldest first."""
        return self._detecting.daily_summaries(configuration, now=self._clock.now())

    async def exposure_info(self, tell: Question) -> list[ExposureInfo]:
        """Return the exposures of the last detection that found any.

        Args:
            tell: Tells the user that they were exposed, and returns whether they were told.

        Raises:
            UserNotToldError: They were not.
        """
        if not await tell():
            raise UserNotToldError("exposures are told to the user before the App learns of them")
        return self._detecting.latest_exposures()

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
        return await self._with_a_new_key(self._sharing.release(now), now)

    async def pre_authorise(self, consent: Question) -> datetime:
        """Let the App have the keys once within five days, when a positive result arrives.

        Args:
            consent: Asks the user whether it may.

        Returns:
            Until when it may.

        Raises:
            ConsentRefusedError: It may not; a permission given before is withdrawn.
            StoreError: The permission could not be kept.
        """
        if not await consent():
            self._sharing.withdraw()
            raise ConsentRefusedError("the user did not agree to share the keys later")
        return self._sharing.permit(self._clock.now())

    async def pre_authorised_tek_history(self) -> list[TemporaryExposureKey]:
        """Return the device's keys as `tek_history` does, with the permission given before.

        Raises:
            ConsentRefusedError: There is none, or it is older than five days.
            StoreError: No key was handed out.
        """
        now = self._clock.now()
        return await self._with_a_new_key(self._sharing.release_as_permitted(now), now)

    async def stored(self) -> dict[str, int]:
        """Return how much of each kind the device stores; for the user, who may ask."""
        return self._store.contents()

    async def delete_everything(self) -> None:
        """Fall silent and destroy all that is stored, with its key; the device begins anew.

        A detection that goes on comes to its end first: what it finds goes too.
        """
        await self._rest()
        async with self._detecting.between_detections:
            self._store.erase()
            self._watch = ClockWatch(self._store)
            self._pausing.forget()
            self._switches = Switches(bluetooth=self._switches.bluetooth)
            self._switches.save(self._store)
            # Whoever was switched on meanwhile is off again.
            await self._rest()

    async def trust_clock(self) -> None:
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

    @property
    def _may_be_active(self) -> bool:
        return self._switches.all_on and not self._pausing.is_on

    async def _switch(self, **changed: bool) -> None:
        """Turn switches. All that is decided is decided at once, before anything is waited for."""
        switches = replace(self._switches, **changed)
        if switches.all_on:
            switches.save(self._store)
            self._switches = switches
            await self._go_on(self._clock.now())
            return
        # A store that fails keeps nobody on the air who wants to be off it.
        self._switches = switches
        try:
            switches.save(self._store)
        finally:
            await self._rest()

    async def _go_on(self, now: datetime) -> None:
        """Broadcast and listen, where nothing stands in the way and it is not being done."""
        if self._may_be_active and self._broadcasting.next_due() is None:
            self._begin(now)
            await self._broadcasting.act(now)

    async def _with_a_new_key(
        self, released: list[TemporaryExposureKey], now: datetime
    ) -> list[TemporaryExposureKey]:
        """Let the broadcast go on with a key that was not released."""
        if self._broadcasting.next_due() is not None:
            self._broadcasting.begin(now)
            await self._broadcasting.act(now)
        return released

    def _begin(self, now: datetime) -> None:
        self._broadcasting.begin(now)
        self._listening.begin(now)

    async def _rest(self) -> None:
        await self._listening.rest()
        await self._broadcasting.rest()

    def _trusted_now(self) -> datetime:
        now = self._clock.now()
        self.notice(now)
        if self._watch.is_behind(now):
            raise UntrustedClockError("the clock was turned back since it was last read")
        return now
