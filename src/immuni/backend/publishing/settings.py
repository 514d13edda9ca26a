"""What an operator may change about publishing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from immuni.settings import (
    Kind,
    duration,
    flag,
    integer,
    number,
    parse_duration,
    render_duration,
    setting,
    text,
)

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_PERIODS: Final = {
    **{_MINUTE * n: f"*/{n} * * * *" for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)},
    **{_HOUR * n: f"0 */{n} * * *" for n in (1, 2, 3, 4, 6, 8, 12)},
    _DAY: "0 0 * * *",
}
"""Periods that fill an hour or a day evenly, with their schedules."""


def _parse_period(value: str) -> timedelta:
    period = parse_duration(value)
    if period not in _PERIODS:
        raise ValueError
    return period


CHUNK_PERIOD: Final = Kind(
    _parse_period,
    "a duration that divides an hour or a day: " + ", ".join(map(render_duration, _PERIODS)),
    render_duration,
)


def cron_of(chunk_period: timedelta) -> str:
    """Return the schedule (cron, UTC) of a period that `CHUNK_PERIOD` allows."""
    return _PERIODS[chunk_period]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingSettings:
    """How uploads become TEK Chunks."""

    chunk_period: timedelta = setting(
        CHUNK_PERIOD,
        default=timedelta(hours=4),
        meaning="Time between two runs; phones may detect only 6 to 15 times a day.",
    )
    embargo: timedelta = setting(
        duration("2h", "2d"),
        default=timedelta(hours=2),
        meaning="How long a key's period must have been over before the key is published.",
    )
    max_keys_per_chunk: int = setting(
        integer(1_000, 750_000),
        default=250_000,
        meaning="Keys in one chunk at most; the rest goes into further chunks of the same run.",
    )
    min_keys_per_chunk: int = setting(
        integer(0, 10_000),
        default=140,
        meaning="A chunk with fewer keys is filled up with the keys of simulated people.",
    )
    padding_noise: float = setting(
        number(0, 1_000),
        default=20.0,
        meaning="Mean number of simulated people in every chunk, on top of the minimum.",
    )
    publish_empty_runs: bool = setting(
        flag(),
        default=True,
        meaning="Publish a chunk of simulated people alone where no key is due.",
    )
    export_region: str = setting(
        text(pattern=r"[A-Z0-9]{2,3}", wanted="two or three capitals or digits"),
        default="222",
        meaning="Region in the chunk files: a mobile country code.",
    )
    key_origin: str = setting(
        text(pattern=r"[A-Z]{2}", wanted="two capitals"),
        default="IT",
        meaning="Country in which the keys were uploaded; kept beside each published key.",
    )
    app_bundle_id: str = setting(
        text(pattern=r"[A-Za-z0-9.-]{0,155}", wanted="a bundle id"),
        default="it.immuni.app",
        meaning="Bundle id that chunk files name, for readers of the format's first version.",
    )
    android_package: str = setting(
        text(pattern=r"[A-Za-z0-9._]{0,155}", wanted="a package name"),
        default="it.immuni.app",
        meaning="Android package that chunk files name, for the same readers.",
    )
