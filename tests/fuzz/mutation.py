"""A plain random mutator, for machines for which there is no coverage-guided one."""

import random
from collections.abc import Callable, Sequence
from typing import Final

_LARGEST: Final = 1 << 16
_BYTES: Final = (0x00, 0x01, 0x7F, 0x80, 0xFF)


def mutated(seeds: Sequence[bytes], draw: random.Random) -> bytes:
    """Return one of `seeds`, changed in up to four ways."""
    data = bytearray(draw.choice(seeds))
    for _ in range(draw.randint(1, 4)):
        draw.choice(_MUTATIONS)(data, seeds, draw)
    return bytes(data[:_LARGEST])


def _flip_bit(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _set_byte(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] = draw.choice(_BYTES)


def _insert(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    place = draw.randint(0, len(data))
    data[place:place] = draw.randbytes(draw.choice((1, 2, 4, 10)))


def _remove(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    place = draw.randint(0, len(data))
    del data[place : place + draw.choice((1, 2, 4, 16, 256))]


def _repeat(data: bytearray, _: Sequence[bytes], draw: random.Random) -> None:
    start, end = sorted(draw.choices(range(len(data) + 1), k=2))
    data[start:start] = data[start:end] * draw.choice((1, 1, 2, 16))
    del data[_LARGEST:]


def _splice(data: bytearray, seeds: Sequence[bytes], draw: random.Random) -> None:
    other = draw.choice(seeds)
    data[draw.randint(0, len(data)) :] = other[draw.randint(0, len(other)) :]


_MUTATIONS: Final[Sequence[Callable[[bytearray, Sequence[bytes], random.Random], None]]] = (
    _flip_bit,
    _set_byte,
    _insert,
    _remove,
    _repeat,
    _splice,
)
