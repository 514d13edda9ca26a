"""What reaches the services while they soak: people, dummies, mistakes, malice and readers."""

import asyncio
import json
import ssl
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final

from immuni.api import Tek, Upload
from immuni.app.packet import CHECK_PATH, UPLOAD_PATH, Envelope, check_packet, upload_packet
from immuni.clock import SystemClock
from immuni.deployment.roles import LOOPBACK, Ports, Role
from immuni.entropy import SeededEntropy
from immuni.keys import TemporaryExposureKey, first_interval_of
from immuni.otp import Otp, generate_otp, otp_hash
from tests.contract.ingestion_rows import REFUSED
from tests.soak.exchange import Answer, exchange, get, post
from tests.soak.ledger import Ledger

PACKET_BYTES: Final = 110_000
_OPERATIONAL: Final = "/v1/analytics/google/operational-info"
_BODIES: Final = [
    body if isinstance(body, bytes) else json.dumps(body).encode() for body in REFUSED.values()
]
_FIRST_DAY, _LAST_DAY = -2, 14
"""Days from the onset whose keys are published, as the specification's table has them."""
_RECENT: Final = 4
"""Only so many chunks at the end are asked for: older ones may have been deleted since."""


@dataclass
class Answers:
    """What came back, counted.

    Attributes:
        kinds: Requests by what they were.
        statuses: Answers by their status.
        unexpected: Answers that are not what the request was to get.
        shaped_seconds: Times of the answers that are held to the floor.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    shaped_seconds: "array[float]" = field(default_factory=lambda: array("d"), repr=False)

    def tell(self, kind: str, answer: Answer, *wanted: int, shaped: bool = False) -> bool:
        """Count an answer, and tell whether it is one of those that are right."""
        self.kinds[kind] += 1
        self.statuses[answer.status] += 1
        if shaped:
            self.shaped_seconds.append(answer.seconds)
        if answer.status not in wanted:
            self.unexpected[f"{kind}: {answer.status}"] += 1
        return answer.status in wanted


@dataclass(frozen=True)
class Town:
    """Everybody who talks to the services, and what they know.

    Attributes:
        ports: Where the services listen.
        tls: The portal's side of mutual TLS.
        ledger: Told of all keys.
        answers: Told of all answers.
        seed: Decides everything that is drawn.
    """

    ports: Ports
    tls: ssl.SSLContext = field(repr=False)
    ledger: Ledger
    answers: Answers
    seed: int

    async def visit(self, number: int) -> None:
        """Let the visitor with this number do what they came for."""
        visit = Visit(self, number)
        chosen = visit.entropy.below(sum(_VISITS.values()))
        for kind, weight in _VISITS.items():
            chosen -= weight
            if chosen < 0:
                try:
                    await kind(visit)
                except (OSError, TimeoutError) as error:
                    told = f"{kind.__name__}: {type(error).__name__}"
                    self.answers.unexpected[told] += 1
                return

    async def ask(
        self, kind: str, role: Role, packet: bytes, *wanted: int, shaped: bool = False
    ) -> Answer:
        """Send a request, count its answer, and return it."""
        tls = self.tls if role is Role.OTP else None
        answer = await exchange(self.ports.of(role), packet, tls)
        self.answers.tell(kind, answer, *wanted, shaped=shaped)
        return answer


@dataclass(frozen=True)
class Visit:
    """One visitor.

    Attributes:
        town: Where they live.
        number: Which one they are.
    """

    town: Town
    number: int

    @cached_property
    def entropy(self) -> SeededEntropy:
        """Whatever happens meanwhile, a visitor draws the same."""
        return SeededEntropy(f"{self.town.seed}/{self.number}")

    @cached_property
    def today(self) -> date:
        """The day of the visit, also where it lasts until past midnight."""
        return _now().date()

    async def upload_ask(self, kind: str, packet: bytes, wanted: int) -> bool:
        """Send something to the *upload* host, whose answers are all shaped."""
        answer = await self.town.ask(kind, Role.UPLOAD, packet, wanted, shaped=True)
        return answer.status == wanted

    def envelope(self, otp: Otp, *, is_dummy: bool = False) -> Envelope:
        """Return what stands around a phone's request."""
        return Envelope(
            authority=LOOPBACK,
            token=otp_hash(otp),
            client_clock=_now(),
            size=PACKET_BYTES,
            is_dummy=is_dummy,
        )

    def upload(self, otp: Otp, teks: Sequence[TemporaryExposureKey], **other: bool) -> bytes:
        """Return the request that uploads keys."""
        content = Upload(teks=tuple(map(Tek.of, teks)), province="RM")
        return upload_packet(self.envelope(otp, **other), content)

    def teks(self) -> list[TemporaryExposureKey]:
        """Draw a phone's keys: today's and those of the 13 days before."""
        return [
            TemporaryExposureKey(
                self.entropy.token(16), first_interval_of(self.today - timedelta(days=age))
            )
            for age in range(14)
        ]

    async def authorise(self, otp: Otp, onset_age: int) -> bool:
        """Do what the portal does when an operator has entered a code."""
        onset = self.today - timedelta(days=onset_age)
        body = json.dumps({"otp": otp, "symptoms_started_on": onset.isoformat()}).encode()
        packet = post("/v1/otp", body)
        answer = await self.town.ask("authorise a code", Role.OTP, packet, 204)
        return answer.status == 204


async def person(visit: Visit) -> None:
    """Get a code, check it, upload; sometimes an answer is lost, or somebody tries it again."""
    otp, teks, onset_age = generate_otp(visit.entropy), visit.teks(), visit.entropy.below(8)
    if not await visit.authorise(otp, onset_age):
        return
    await visit.upload_ask("check a right code", check_packet(visit.envelope(otp)), 204)
    if not await visit.upload_ask("upload", visit.upload(otp, teks), 204):
        return
    # Key number `age` is of the day so many days ago.
    published = [_FIRST_DAY <= onset_age - age <= _LAST_DAY for age in range(len(teks))]
    visit.town.ledger.accept(
        [tek for tek, is_due in zip(teks, published, strict=True) if is_due],
        [tek for tek, is_due in zip(teks, published, strict=True) if not is_due],
    )
    match visit.entropy.below(4):
        case 0:
            await visit.upload_ask("upload again", visit.upload(otp, teks), 204)
        case 1:
            others = visit.teks()
            visit.town.ledger.refuse(others)
            await visit.upload_ask("upload with a used code", visit.upload(otp, others), 401)
        case 2:
            await _upload_elsewhere(visit, teks, onset_age)
        case _:
            pass


async def _upload_elsewhere(
    visit: Visit, teks: Sequence[TemporaryExposureKey], onset_age: int
) -> None:
    """Upload the same keys once more, with a code of their own."""
    otp = generate_otp(visit.entropy)
    if await visit.authorise(otp, onset_age) and await visit.upload_ask(
        "upload known keys", visit.upload(otp, teks), 204
    ):
        visit.town.ledger.accept([], [])


async def dummy_check(visit: Visit) -> None:
    """Check nothing."""
    envelope = visit.envelope(generate_otp(visit.entropy), is_dummy=True)
    await visit.upload_ask("dummy check", check_packet(envelope), 204)


async def dummy_upload(visit: Visit) -> None:
    """Upload nothing."""
    teks = visit.teks()
    visit.town.ledger.refuse(teks)
    packet = visit.upload(generate_otp(visit.entropy), teks, is_dummy=True)
    await visit.upload_ask("dummy upload", packet, 204)


async def wrong_check(visit: Visit) -> None:
    """Check a code that nobody authorised."""
    envelope = visit.envelope(generate_otp(visit.entropy))
    await visit.upload_ask("check a wrong code", check_packet(envelope), 401)


async def wrong_upload(visit: Visit) -> None:
    """Upload with a code that nobody authorised."""
    teks = visit.teks()
    visit.town.ledger.refuse(teks)
    packet = visit.upload(generate_otp(visit.entropy), teks)
    await visit.upload_ask("upload with a wrong code", packet, 401)


async def malformed(visit: Visit) -> None:
    """Upload a body that breaks a rule, with a code that would be right."""
    otp = generate_otp(visit.entropy)
    if not await visit.authorise(otp, 1):
        return
    body = _BODIES[visit.entropy.below(len(_BODIES))]
    packet = post(
        UPLOAD_PATH,
        body,
        Authorization=f"Bearer {otp_hash(otp)}",
        Immuni_Dummy_Data="0",
        Immuni_Client_Clock=str(int(_now().timestamp())),
    )
    await visit.upload_ask("a malformed body", packet, 400)


async def oversize(visit: Visit) -> None:
    """Announce a body that is too large."""
    packet = post(CHECK_PATH, b"", Content_Length="900000", Immuni_Dummy_Data="1")
    await visit.upload_ask("a body that is too large", packet, 413)


async def operational(visit: Visit) -> None:
    """Send Operational Info that means nothing."""
    packet = post(_OPERATIONAL, b"{}", Immuni_Dummy_Data="1")
    await visit.town.ask("dummy analytics", Role.ANALYTICS, packet, 204, shaped=True)


async def settings(visit: Visit) -> None:
    """Fetch the settings."""
    build = 1 + visit.entropy.below(20_000)
    packet = get(f"/v1/settings?platform=ios&build={build}")
    await visit.town.ask("settings", Role.GET, packet, 200)


async def index(visit: Visit) -> None:
    """Fetch the index; before the first chunk there is none."""
    wanted = 200 if visit.town.ledger.newest else 404
    await visit.town.ask("index", Role.GET, get("/v1/keys/index"), wanted, 200)


async def chunk(visit: Visit) -> None:
    """Fetch a chunk whole, in part, on condition, or its headers alone."""
    ledger = visit.town.ledger
    if not ledger.newest:
        return
    number = max(min(ledger.digests), ledger.newest - visit.entropy.below(_RECENT))
    path = f"/v1/keys/{number}"
    answer = await visit.town.ask("chunk", Role.GET, get(path), 200)
    if answer.status == 200:
        ledger.read_again(number, answer.body)
    match visit.entropy.below(3):
        case 0:
            packet = get(path, If_None_Match=answer.headers.get("etag", ""))
            await visit.town.ask("chunk that is known", Role.GET, packet, 304)
        case 1:
            packet = get(path, Range="bytes=0-99")
            await visit.town.ask("part of a chunk", Role.GET, packet, 206)
        case _:
            await visit.town.ask("chunk's headers", Role.GET, get(path, method="HEAD"), 200)


async def missing(visit: Visit) -> None:
    """Fetch what is not there."""
    paths = ("/v1/keys/999999999", "/v1/keys/01", "/v1/keys/0", "/v2/keys/index", "/")
    path = paths[visit.entropy.below(len(paths))]
    await visit.town.ask("what is not there", Role.GET, get(path), 404, 400)


_VISITS: Final[dict[Callable[[Visit], Awaitable[None]], int]] = {
    person: 12,
    dummy_check: 20,
    dummy_upload: 20,
    wrong_check: 6,
    wrong_upload: 4,
    malformed: 8,
    oversize: 2,
    operational: 6,
    settings: 6,
    index: 6,
    chunk: 6,
    missing: 4,
}
"""Of a hundred visitors so many come for this."""


async def visits(town: Town, *, per_second: float, at_once: int, until: asyncio.Event) -> None:
    """Let visitors come at an even pace until the event; return when the last has gone.

    Args:
        town: Where they come from.
        per_second: How many come in a second.
        at_once: Beyond so many, the next waits: the load is bounded.
        until: When nobody comes any more.
    """
    room = asyncio.Semaphore(at_once)
    loop = asyncio.get_running_loop()
    begun, number = loop.time(), 0

    async def one(number: int) -> None:
        try:
            await town.visit(number)
        finally:
            room.release()

    async with asyncio.TaskGroup() as group:
        while not until.is_set():
            await room.acquire()
            group.create_task(one(number))
            number += 1
            await asyncio.sleep(max(0, begun + number / per_second - loop.time()))


def _now() -> datetime:
    return SystemClock().now()
