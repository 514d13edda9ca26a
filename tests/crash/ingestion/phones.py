"""Phones that upload to a service which dies under them, and what must have come of it."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import cycle
from typing import Final

import psycopg
from psycopg import IsolationLevel

from immuni.api import ExposureDetectionSummaryUpload, Upload
from immuni.api.ingestion import Tek
from immuni.app.packet import Envelope, upload_packet
from immuni.app.transport import ServerAddress, ServerUnreachableError, exchange
from immuni.backend.epidemiological import open_epidemiological
from immuni.backend.otp_keys import OtpKeys
from immuni.backend.packed_keys import unpack_keys
from immuni.backend.sealing import OpeningKey, Sealed
from immuni.deployment.databases import ServicesDatabase
from immuni.entropy import Entropy
from immuni.otp import OtpHash, generate_otp, otp_hash
from tests.publishing import keys_of_days

KEYS: Final = OtpKeys({"crash": bytes(range(32))})
PACKET_BYTES: Final = 8_000
_PATIENCE: Final = timedelta(seconds=20)
_PAUSE_SECONDS: Final = 0.2
_KEYS_EACH: Final = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who uploads.

    Attributes:
        number: Written into what is uploaded, so that it can be found again.
        code: The hash of the code; two people may have got the same one.
        upload: What is uploaded, as often as it takes.
    """

    number: int
    code: OtpHash
    upload: Upload = field(repr=False)

    @classmethod
    def with_code(cls, code: OtpHash, number: int, now: datetime) -> "Person":
        """Return somebody who was handed `code`."""
        yesterday = now.date() - timedelta(days=1)
        keys = keys_of_days(yesterday, days=_KEYS_EACH, seed=f"person {number}")
        summary = ExposureDetectionSummaryUpload(
            date=yesterday,
            matched_key_count=number,
            days_since_last_exposure=1,
            attenuation_durations=(300, 0, 0),
            maximum_risk_score=4,
        )
        teks = tuple(map(Tek.of, keys))
        upload = Upload(teks=teks, province="RM", exposure_detection_summaries=(summary,))
        return cls(number, code, upload)

    @property
    def key_data(self) -> frozenset[bytes]:
        """The bytes of the keys."""
        return frozenset(tek.key().key_data for tek in self.upload.teks)


@dataclass
class Phones:
    """Phones that try until they are answered.

    Attributes:
        people: Everybody, by number.
        accepted: Who was answered 204.
        refused: Who was answered 401.
        interrupted: How often a phone was not answered, or asked to come again.
        one_more: Released for each who is answered 204.
    """

    people: dict[int, Person]
    accepted: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    interrupted: int = 0
    one_more: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def upload_all(
        self, hosts: Sequence[ServerAddress], now: datetime, *, at_once: int
    ) -> None:
        """Let everybody upload, so many at a time, until each has an answer that is final.

        Args:
            hosts: One after the other is asked, as if behind one address.
            now: What time the phones believe it is.
            at_once: How many phones there are.
        """
        waiting, turns = iter(self.people.values()), cycle(hosts)

        async def phone() -> None:
            for person in waiting:
                await self._upload(person, turns, now)

        async with asyncio.TaskGroup() as phones:
            for _ in range(at_once):
                phones.create_task(phone())

    async def _upload(self, person: Person, turns: Iterator[ServerAddress], now: datetime) -> None:
        """Send the same again until the answer is final, as the App does."""
        while (status := await self._status(person, next(turns), now)) is None:  # noqa: ASYNC110 - as people do
            await asyncio.sleep(_PAUSE_SECONDS)
        if status == HTTPStatus.NO_CONTENT:
            self.accepted.add(person.number)
            self.one_more.release()
        else:
            assert status == HTTPStatus.UNAUTHORIZED, status
            self.refused.add(person.number)

    async def _status(self, person: Person, host: ServerAddress, now: datetime) -> int | None:
        envelope = Envelope(
            authority=host.authority, token=person.code, client_clock=now, size=PACKET_BYTES
        )
        try:
            answer = await exchange(upload_packet(envelope, person.upload), host, within=_PATIENCE)
        except ServerUnreachableError:
            self.interrupted += 1
            return None
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.interrupted += 1
            return None
        return answer.status


@dataclass(frozen=True)
class Kept:
    """What lies in the database at one moment.

    Attributes:
        spent: The keyed hashes of the codes that were used.
        uploads: The keys of each upload.
        infos: Who sent the Epidemiological Info in the outbox.
    """

    spent: list[bytes]
    uploads: list[frozenset[bytes]] = field(repr=False)
    infos: list[int]

    @classmethod
    def look(cls, database: ServicesDatabase, opening_key: OpeningKey) -> "Kept":
        """Read all of it as of one moment."""
        with psycopg.connect(database.owner) as connection:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            spent = connection.execute(
                "SELECT keyed_hash FROM ingestion.otp WHERE redeemed_digest IS NOT NULL"
            ).fetchall()
            packed = connection.execute("SELECT packed_keys FROM ingestion.upload").fetchall()
            sealed = connection.execute("SELECT key_id, sealed FROM ingestion.outbox").fetchall()
        infos = [info for row in sealed for info in open_epidemiological(Sealed(*row), opening_key)]
        return cls(
            spent=[hash_ for (hash_,) in spent],
            uploads=[frozenset(key[0] for key in unpack_keys(row)) for (row,) in packed],
            infos=[info.summaries[0].matched_key_count for info in infos],
        )

    def check(self, people: dict[int, Person], accepted: set[int]) -> None:
        """Make sure that each upload is there once and whole, or not at all.

        Args:
            people: Everybody who may have uploaded.
            accepted: Who has been told that it is there.
        """
        by_keys = {person.key_data: person for person in people.values()}
        kept = [by_keys[keys] for keys in self.uploads]
        assert Counter(person.number for person in kept) == Counter(self.infos)
        assert len(set(self.infos)) == len(self.infos)
        hashes = sorted(KEYS.keyed(person.code)[0] for person in kept)
        assert hashes == sorted(self.spent)
        assert len(set(hashes)) == len(hashes)
        assert accepted <= set(self.infos)


def hand_out_codes(
    database: ServicesDatabase, count: int, entropy: Entropy, now: datetime
) -> list[OtpHash]:
    """Authorise many codes at once, behind the OTP Service's back."""
    codes = [otp_hash(generate_otp(entropy)) for _ in range(count)]
    onset = now.date() - timedelta(days=3)
    with psycopg.connect(database.owner) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO ingestion.otp (key_id, keyed_hash, onset_on, authorised_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                (KEYS.current_id, KEYS.keyed(code)[0], onset, now, now + timedelta(hours=10))
                for code in codes
            ],
        )
    return codes


def people_with(codes: Sequence[OtpHash], now: datetime, *, rivals_every: int) -> dict[int, Person]:
    """Return somebody for each code, and a rival with the same code for some."""
    owners = [
        code
        for number, code in enumerate(codes)
        for _ in range(2 if number % rivals_every == 0 else 1)
    ]
    return {number: Person.with_code(code, number, now) for number, code in enumerate(owners)}
