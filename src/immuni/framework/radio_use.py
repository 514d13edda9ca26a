"""How much radio and processor time a device spends on exposure notifications."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from immuni.ble import AdvertisementHeard, BroadcastPayload, Radio, RadioError, on_air_time
from immuni.clock import Clock

CpuSeconds = Callable[[], float]
"""Returns the processor time of this process so far, in seconds, as `time.process_time` does."""

_HOUR: Final = timedelta(hours=1)
_NONE: Final = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioUse:
    """What a radio did since it was metered.

    Attributes:
        elapsed: How long it has been metered.
        scans: How many scans were begun and came to their end.
        scan_time: How long the receiver was on for them.
        broadcast_time: How long something was broadcast.
        on_air_time: For how much of that the transmitter was on, by the length of the PDUs.
        cpu_time: Processor time of the whole process.

    Privacy:
        It tells when the radio was on only as a total, and nothing of what was heard.
    """

    elapsed: timedelta
    scans: int
    scan_time: timedelta
    broadcast_time: timedelta
    on_air_time: timedelta
    cpu_time: timedelta

    @property
    def scans_per_hour(self) -> float:
        """Scans in an hour; 0 while no time has passed."""
        return self.scans * _HOUR / self.elapsed if self.elapsed else 0.0

    @property
    def scan_seconds_per_hour(self) -> float:
        """Seconds in an hour for which the receiver is on."""
        return self._seconds_per_hour(self.scan_time)

    @property
    def on_air_seconds_per_hour(self) -> float:
        """Seconds in an hour for which the transmitter is on."""
        return self._seconds_per_hour(self.on_air_time)

    @property
    def cpu_seconds_per_hour(self) -> float:
        """Seconds of processor time in an hour."""
        return self._seconds_per_hour(self.cpu_time)

    def _seconds_per_hour(self, spent: timedelta) -> float:
        return spent / self.elapsed * _HOUR.total_seconds() if self.elapsed else 0.0


NO_USE: Final = RadioUse(
    elapsed=_NONE,
    scans=0,
    scan_time=_NONE,
    broadcast_time=_NONE,
    on_air_time=_NONE,
    cpu_time=_NONE,
)


class MeteredRadio:
    """A radio that counts what is asked of it, and passes it on to another.

    Attributes:
        error: What the radio below said when it last refused something; None since it worked.
    """

    def __init__(self, radio: Radio, clock: Clock, cpu_seconds: CpuSeconds) -> None:
        """Begin to count.

        Args:
            radio: Does the work.
            clock: Measures how long.
            cpu_seconds: Tells the processor time of the process.
        """
        self._radio = radio
        self._clock = clock
        self._cpu_seconds = cpu_seconds
        self._since = clock.now()
        self._cpu_at_start = cpu_seconds()
        self._scans = 0
        self._scan_time = _NONE
        self._broadcast_time = _NONE
        self._on_since: datetime | None = None
        self.error: str | None = None

    @property
    def tx_power_dbm(self) -> int:
        """The transmit power of the radio below: see `Radio.tx_power_dbm`."""
        return self._radio.tx_power_dbm

    @property
    def broadcasting(self) -> bool:
        """Whether what was started last goes on: see `Radio.broadcasting`."""
        return self._radio.broadcasting

    def use(self) -> RadioUse:
        """Return what was counted until now."""
        now = self._clock.now()
        broadcast_time = self._broadcast_time + self._broadcasting_for(now)
        return RadioUse(
            elapsed=max(now - self._since, _NONE),
            scans=self._scans,
            scan_time=self._scan_time,
            broadcast_time=broadcast_time,
            on_air_time=on_air_time(broadcast_time),
            cpu_time=timedelta(seconds=self._cpu_seconds() - self._cpu_at_start),
        )

    async def open(self) -> None:
        """Make the radio ready: see `Radio.open`."""
        with self._noting_errors():
            await self._radio.open()

    async def start_broadcast(self, payload: BroadcastPayload, address: bytes) -> None:
        """Broadcast: see `Radio.start_broadcast`."""
        self._note_end()
        with self._noting_errors():
            await self._radio.start_broadcast(payload, address)
        self._on_since = self._clock.now()

    async def stop_broadcast(self) -> None:
        """Fall silent: see `Radio.stop_broadcast`."""
        with self._noting_errors():
            await self._radio.stop_broadcast()
        self._note_end()

    async def scan(self, duration: timedelta) -> list[AdvertisementHeard]:
        """Listen: see `Radio.scan`."""
        with self._noting_errors():
            heard = await self._radio.scan(duration)
        self._scans += 1
        self._scan_time += duration
        return heard

    async def close(self) -> None:
        """Fall silent and give the adapter back: see `Radio.close`."""
        self._note_end()
        await self._radio.close()

    @contextmanager
    def _noting_errors(self) -> Iterator[None]:
        try:
            yield
        except RadioError as error:
            self.error = str(error)
            raise
        self.error = None

    def _note_end(self) -> None:
        self._broadcast_time += self._broadcasting_for(self._clock.now())
        self._on_since = None

    def _broadcasting_for(self, now: datetime) -> timedelta:
        # A clock that was set back in between does not make the total smaller.
        return max(now - self._on_since, _NONE) if self._on_since is not None else _NONE
