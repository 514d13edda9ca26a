"""The same work in Python: readable, and with `cryptography` and NumPy."""

import random
import time
from array import array
from collections.abc import Callable
from statistics import median
from typing import Any, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from immuni._core import reference

START: Final = 2642976
DAY: Final = 144
DAYS: Final = 14
READABLE_SAMPLE: Final = 1000
VECTOR_SAMPLE: Final = 3000
"""Keys that Python matches: the time grows with their number."""
FILTER_BITS: Final = 24

Figures = dict[str, Any]
Numbers = NDArray[np.uint64]


def python(sightings: int, rounds: int) -> Figures:
    """Match samples of keys of 144 intervals with random sightings of two weeks."""
    draw = random.Random(1)  # noqa: S311 - repeatable on purpose, guards nothing
    rpis = draw.randbytes(16 * sightings)
    intervals = array("I", [START + draw.randrange(DAY * DAYS) for _ in range(sightings)])
    return {
        "sightings": sightings,
        **named("reference", readable(draw, rpis, intervals, rounds)),
        **named("numpy", vectorised(draw, rpis, rounds)),
    }


def named(name: str, rates: list[float]) -> Figures:
    """Return the median of rates, and between which they lie."""
    return {
        f"{name}_keys_per_second": median(rates),
        f"{name}_least": min(rates),
        f"{name}_most": max(rates),
    }


def readable(draw: random.Random, rpis: bytes, intervals: "array[int]", rounds: int) -> list[float]:
    """Return how many keys the readable reference matches in a second, round by round."""
    starts = drawn_starts(draw, READABLE_SAMPLE)
    key_data, periods = draw.randbytes(16 * READABLE_SAMPLE), bytes([DAY]) * READABLE_SAMPLE
    index = reference.Index(rpis, intervals, 12)

    def matched(count: int) -> Callable[[], object]:
        columns = key_data[: 16 * count], starts[:count], periods[:count]
        return lambda: index.match_keys(*columns)

    def taken() -> float:
        # What it does with the sightings alone is not counted, as far as it can be told apart.
        alone = seconds(matched(0))
        return max(seconds(matched(READABLE_SAMPLE)) - alone, 1e-3)

    return [READABLE_SAMPLE / taken() for _ in range(rounds)]


def vectorised(draw: random.Random, rpis: bytes, rounds: int) -> list[float]:
    """Return how many keys are matched in a second by `cryptography` and NumPy, round by round.

    Each key costs two calls of `cryptography`, into memory that is there; all identifiers are
    looked up together, first in a table of one byte for each value of their highest bits, then,
    the few that pass, among the sorted ones that were heard. Half an identifier is compared, and
    the time of a sighting not at all, which is less than the engine does.
    """
    starts = drawn_starts(draw, VECTOR_SAMPLE)
    key_data = draw.randbytes(16 * VECTOR_SAMPLE)
    acquaintance = reference.derive_rpis(reference.derive_rpik(key_data[:16]), starts[0], 1)
    heard = np.sort(np.frombuffer(acquaintance + rpis, np.uint64)[::2])
    table = np.zeros(2**FILTER_BITS, np.bool_)
    table[bucket(heard)] = True
    blocks = memoryview(padded_intervals())
    # The library wants room for a block beyond what it writes.
    made = np.empty((VECTOR_SAMPLE + 1, DAY, 2), np.uint64)
    memory = made.data.cast("B")
    length = 16 * DAY

    def identify() -> None:
        for place, start in enumerate(starts):
            tek = key_data[16 * place : 16 * place + 16]
            rpik = HKDF(SHA256(), 16, salt=None, info=b"EN-RPIK").derive(tek)
            encryptor = Cipher(algorithms.AES128(rpik), modes.ECB()).encryptor()  # noqa: S305
            first, into = 16 * (start - START), length * place
            encryptor.update_into(blocks[first : first + length], memory[into : into + length + 15])

    def match() -> None:
        identify()
        halves = made[:-1, :, 0].reshape(-1)
        passed = np.flatnonzero(table[bucket(halves)])
        candidates = halves[passed]
        places = np.minimum(np.searchsorted(heard, candidates), len(heard) - 1)
        if passed[heard[places] == candidates].tolist() != [0]:
            raise SystemExit("NumPy did not find exactly what was planted")

    return [VECTOR_SAMPLE / seconds(match) for _ in range(rounds)]


def bucket(halves: Numbers) -> Numbers:
    """Return the highest bits of halves of identifiers."""
    return halves >> np.uint64(64 - FILTER_BITS)


def padded_intervals() -> bytes:
    """Return what is encrypted for each interval of two weeks, one block after the other."""
    blocks = np.zeros((DAY * DAYS, 4), np.uint32)
    blocks[:, 3] = np.arange(START, START + DAY * DAYS)
    octets = blocks.view(np.uint8)
    octets[:, :6] = np.frombuffer(b"EN-RPI", np.uint8)
    return octets.tobytes()


def drawn_starts(draw: random.Random, count: int) -> "array[int]":
    """Draw the first intervals of keys."""
    return array("I", [START + DAY * draw.randrange(DAYS) for _ in range(count)])


def seconds(work: Callable[[], object]) -> float:
    """Return the processor time of one run: neighbours take none of it."""
    begin = time.process_time()
    work()
    return time.process_time() - begin
