"""Somebody who sees the encrypted traffic: when each answer comes, and in which TLS records."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from immuni.backend.shaping import ANSWER_BYTES
from tests.contract.tls import observing

ANSWER_LENGTH = ANSWER_BYTES + len("date: Sat, 20 Jun 2020 12:00:00 GMT\r\n")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is sent, and what only its sender knows of it."""

    kind: str
    packet: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer.

    Attributes:
        kind: What only the sender of the request knows.
        status: What only the sender can read.
        seconds: From the moment when the request's last byte was on its way to the answer.
        records: Lengths of the TLS records of the answer.
    """

    kind: str
    status: int
    seconds: float
    records: tuple[int, ...]


async def observe(host: str, port: int, requests: Sequence[Sent], *, at_once: int) -> list[Seen]:
    """Send requests in their order, so many at a time, over as many connections.

    A phone opens a connection for each request. Here they are kept: handshakes tell nothing of a
    request, and would take most of the machine.
    """
    seen: list[Seen] = []
    waiting = iter(requests)

    async def phone() -> None:
        async with observing(host, port) as observed:
            for request in waiting:
                records, answer = await observed.exchange(request.packet, length=ANSWER_LENGTH)
                seconds = observed.answered_at - observed.sent_at
                seen.append(Seen(request.kind, int(answer[9:12]), seconds, tuple(records)))

    async with asyncio.TaskGroup() as phones:
        for _ in range(at_once):
            phones.create_task(phone())
    return seen


def distance(some: Iterable[float], others: Iterable[float]) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples.

    It is the greatest difference of their empirical distributions: no threshold tells the one from
    the other in more than (1 + distance) / 2 of the cases.
    """
    one, two = sorted(some), sorted(others)
    i = j = 0
    greatest = 0.0
    while i < len(one) and j < len(two):
        at = min(one[i], two[j])
        while i < len(one) and one[i] <= at:
            i += 1
        while j < len(two) and two[j] <= at:
            j += 1
        greatest = max(greatest, abs(i / len(one) - j / len(two)))
    return greatest
