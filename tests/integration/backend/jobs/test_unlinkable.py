"""Whoever holds all databases cannot tell whose keys belong to which Epidemiological Info.

A hundred people upload within a day, in three windows; the outbox is moved and the keys are
published after each. Then everything that is kept is searched for something that joins them.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

import psycopg
import pytest

from immuni.api import italy
from immuni.backend.epidemiological import open_epidemiological
from immuni.backend.outbox import Outbox
from immuni.backend.sealing import Sealed
from immuni.database import open_pool
from immuni.deployment.databases import AnalyticsDatabase, ServicesDatabase
from immuni.entropy import SeededEntropy
from immuni.keys import TemporaryExposureKey
from immuni.otp import Otp, generate_otp, otp_hash
from tests.intake import NOW, OTP_KEYS, Intake, open_intake
from tests.linking import Link, Person, Row, links, of_people, read_table
from tests.publishing import Press, keys_of_days

PEOPLE: Final = 99
WINDOWS: Final = 3
TODAY: Final = NOW.date()
ANALYTICS: Final = "analytics.epidemiological_info"
EVERYTHING_ELSE: Final = (
    "ingestion.otp",
    "ingestion.upload",
    "publishing.key",
)

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]


@dataclass
class Story:
    """The people, the servers, and the truth about who is who."""

    intake: Intake
    press: Press
    outbox: Outbox
    analytics: AnalyticsDatabase
    provinces: list[str]
    codes: list[Otp]
    keys: list[list[TemporaryExposureKey]]

    async def uploads(self, person: Person) -> None:
        """Have one person upload, the way a phone and the portal do it, over HTTP."""
        otp = self.codes[person]
        # All within one class of onset: that class and the day are meant to be known.
        onset = TODAY - timedelta(days=3 + SeededEntropy(f"onset {person}").below(3))
        assert (await self.intake.authorise(otp, symptoms_started_on=onset.isoformat())).is_success
        assert (await self.intake.check(otp)).is_success
        reply = await self.intake.upload(otp, self.keys[person], province=self.provinces[person])
        assert reply.is_success, reply.text
        self.intake.clock.advance(timedelta(seconds=30))

    async def window(self, number: int, *, move: bool = True) -> None:
        """Have a third of the people upload; then move, publish, and go on to the next window."""
        for person in range(number, PEOPLE, WINDOWS):
            await self.uploads(person)
        if move:
            await self.outbox.move()
        self.intake.clock.set(NOW + timedelta(hours=4 * (number + 1)))
        async with self.press.publisher() as publisher:
            await publisher.publish()

    def owner_of(self, table: str) -> str:
        """Return the URL of the database in which a table is."""
        return self.analytics.owner if table == ANALYTICS else self.intake.database.owner

    def people_in(self, table: str) -> dict[Person, Row]:
        """Return each person's row in a table."""
        who = partial(self._who, table)
        return of_people(read_table(self.owner_of(table), table), who)

    def _who(self, table: str, row: Row) -> Person | None:
        if table == ANALYTICS:
            return self.provinces.index(row["province"])
        if table == "ingestion.otp":
            hashes = [OTP_KEYS.keyed(otp_hash(code))[0] for code in self.codes]
            return hashes.index(row["keyed_hash"])
        if table == "ingestion.outbox":
            sealed = Sealed(row["key_id"], row["sealed"])
            [info] = open_epidemiological(sealed, self.intake.opening_key)
            return self.provinces.index(info.province)
        data = row["key_data"] if table == "publishing.key" else row["packed_keys"]
        owners = [
            person
            for person, keys in enumerate(self.keys)
            if any(key.key_data in data for key in keys)
        ]
        return owners[0] if owners else None


@pytest.fixture
async def story(
    tmp_path: Path, services_database: ServicesDatabase, analytics_database: AnalyticsDatabase
) -> AsyncIterator[Story]:
    """Open everything."""
    entropy = SeededEntropy("people")
    async with (
        open_intake(services_database, tmp_path) as intake,
        open_pool(services_database.jobs, max_size=2) as pool,
    ):
        yield Story(
            intake=intake,
            press=Press(tmp_path, services_database, intake.clock),
            outbox=Outbox(
                pool=pool,
                open_analytics=partial(open_pool, analytics_database.analytics, max_size=2),
                opening_key=intake.opening_key,
            ),
            analytics=analytics_database,
            provinces=sorted(italy().codes)[:PEOPLE],
            codes=[generate_otp(entropy) for _ in range(PEOPLE)],
            keys=[keys_of_days(TODAY, days=5, seed=str(person)) for person in range(PEOPLE)],
        )


async def test_nothing_that_is_kept_joins_info_to_keys_uploads_or_codes(story: Story) -> None:
    for number in range(WINDOWS):
        await story.window(number)

    info = story.people_in(ANALYTICS)
    found: dict[str, list[Link]] = {}
    for table in EVERYTHING_ELSE:
        people = story.people_in(table)
        assert len(info) == len(people) == PEOPLE, table
        found[table] = links(info, people)

    assert not any(found.values()), found
    assert read_table(story.analytics.owner, "analytics.received") == []
    assert read_table(story.intake.database.owner, "ingestion.outbox") == []


async def test_a_link_that_is_planted_is_found(story: Story) -> None:
    for number in range(WINDOWS):
        await story.window(number)
    info = story.people_in(ANALYTICS)
    # What it would look like, had each row been kept when it came.
    order = [person for number in range(WINDOWS) for person in range(number, PEOPLE, WINDOWS)]
    with psycopg.connect(story.analytics.owner, autocommit=True) as connection:
        connection.execute("TRUNCATE analytics.epidemiological_info")
        for person in order:
            connection.execute(
                "INSERT INTO analytics.epidemiological_info VALUES (%s, %s, '3-5', '[]')",
                [info[person]["received_on"], info[person]["province"]],
            )

    planted = story.people_in(ANALYTICS)

    pairs = {(each.here, each.there) for each in links(planted, story.people_in("ingestion.otp"))}
    assert {("ctid", "authorised_at"), ("xmin", "xmin"), ("ctid", "xmin")} <= pairs
    pairs = {(each.here, each.there) for each in links(planted, story.people_in("publishing.key"))}
    assert {("ctid", "chunk_index"), ("xmin", "chunk_index")} <= pairs


async def test_while_it_waits_a_sealed_row_shares_its_transaction_with_its_upload(
    story: Story,
) -> None:
    """What remains: the privacy page says so. Without the opening key the row says nothing."""
    for person in range(PEOPLE):
        await story.uploads(person)

    found = links(story.people_in("ingestion.outbox"), story.people_in("ingestion.upload"))

    assert ("xmin", "xmin") in {(each.here, each.there) for each in found if each.equal == PEOPLE}
    for row in story.people_in("ingestion.outbox").values():
        assert set(row) - {"ctid", "xmin", "xmax", "cmin"} == {
            "id",
            "key_id",
            "sealed",
            "received_on",
        }
    sizes = {len(row["sealed"]) for row in story.people_in("ingestion.outbox").values()}
    assert len(sizes) == 1


async def test_ids_are_random_and_no_sequence_or_commit_time_is_kept(story: Story) -> None:
    await story.window(0, move=False)

    for table in ("ingestion.otp", "ingestion.upload", "ingestion.outbox"):
        rows: list[Mapping[str, object]] = read_table(story.owner_of(table), table)
        ids = [row["id"] for row in rows]
        assert ids
        assert {each.version for each in ids if isinstance(each, UUID)} == {4}
    for url in (story.intake.database.owner, story.analytics.owner):
        with psycopg.connect(url) as connection:
            assert connection.execute("SHOW track_commit_timestamp").fetchone() == ("off",)
            sequences = connection.execute(
                "SELECT schemaname FROM pg_sequences WHERE schemaname <> 'jobs'"
            )
            assert sequences.fetchall() == []
