"""Each way of forging the trail, done as the owner of the database, and what verifying says."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from immuni.clock import ManualClock
from immuni.database import open_pool
from immuni.deployment.databases import PortalDatabase
from immuni.portal.audit.chain import BEGINNING, ChainBrokenError, ChainEnd, code_of
from immuni.portal.audit.events import Action, Event, Outcome
from immuni.portal.audit.keeping import AuditMetrics, TrailKeeper
from immuni.portal.audit.keys import AuditKeys
from immuni.portal.audit.statements import Signer, Verifiers
from immuni.portal.audit.store import event_of
from immuni.portal.audit.trail import AuditTrail
from immuni.portal.audit.verifying import Verification, verify_trail
from tests.postgres import Postgres

START: Final = datetime(2020, 6, 20, 10, tzinfo=UTC)
OLD: Final = AuditKeys({"audit-1": bytes(range(32))})
KEYS: Final = AuditKeys({"audit-2": bytes(range(32, 64)), **OLD.secrets})
SIGNER: Final = Signer("audit-heads-1", Ed25519PrivateKey.from_private_bytes(bytes(32)))
STRANGER: Final = Signer("audit-heads-1", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ALL: Final = (
    "SELECT id, authority_id, at, account_id, action, outcome, subject, detail::text, key_id, mac "
    "FROM audit_event ORDER BY id"
)
CHANGE: Final = "UPDATE audit_event SET {} = {} WHERE id = {}"
MADE_UP: Final = (
    "INSERT INTO audit_event (id, at, action, outcome, key_id, mac) VALUES"
    " ({0}, now(), 'sign_in', 'done', 'audit-2', sha256('{0}'))"
)
BARE: Final = (
    "INSERT INTO audit_event (id, at, action, outcome) VALUES (13, now(), 'sign_in', 'done')"
)
BEGUN_ANEW: Final = (
    "UPDATE audit_head SET last_id = 0, events = 0, key_id = NULL,"
    " mac = decode(repeat('00', 32), 'hex')"
)
END_AT: Final = (
    "UPDATE audit_head SET last_id = {0}, events = {0},"
    " (mac, key_id) = (SELECT mac, key_id FROM audit_event WHERE id = {0})"
)
CHANGES: Final = {
    "id": "100",
    "authority_id": "2",
    "at": "at + interval '1 microsecond'",
    "account_id": "1",
    "action": "'sign_out'",
    "outcome": "'done'",
    "subject": "'account 1'",
    "detail": """'{"number": 1000000}'""",
    "key_id": "'audit-2'",
    "mac": "sha256(mac)",
}


@dataclass(frozen=True)
class Forgery:
    """A trail of twelve events with heads at 4, 8 and 12, and whoever owns its database.

    The first six are under the first key, the others under the second.
    """

    database: PortalDatabase
    heads: Path

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database.owner) as owner:
            owner.execute("SET session_replication_role = replica")  # No trigger is in the way.
            cursor = None
            for statement in statements:
                cursor = owner.execute(statement)
            return cursor.fetchall() if cursor and cursor.description else []

    def verify(self, *heads: Path) -> Verification:
        async def verify() -> Verification:
            async with open_pool(self.database.portal, max_size=1) as pool:
                return await verify_trail(
                    pool,
                    keys=KEYS,
                    verifiers=Verifiers.of(SIGNER),
                    heads=heads or [self.heads],
                    now=START + timedelta(hours=3),
                )

        return asyncio.run(verify())

    def go_on(
        self, count: int, *, keys: AuditKeys = KEYS, hours: int = 0, sign: bool = True
    ) -> None:
        """Append as the portal does, and sign a head."""

        async def go_on() -> None:
            clock = ManualClock(START + timedelta(hours=hours))
            async with open_pool(self.database.portal, max_size=1) as pool:
                for number in range(count):
                    await AuditTrail(pool, keys).record(
                        Event(
                            at=clock.now() + timedelta(seconds=number),
                            action=Action.SIGN_IN,
                            outcome=Outcome.REFUSED,
                            account_id=None,
                            detail={"number": number},
                        )
                    )
                keeper = TrailKeeper(
                    pool=pool,
                    keys=keys,
                    signer=SIGNER,
                    verifiers=Verifiers.of(SIGNER),
                    heads=self.heads,
                    retention=timedelta(days=730),
                    clock=clock,
                    metrics=AuditMetrics(CollectorRegistry()),
                )
                if sign:
                    await keeper.sign_head(at_once=True)

        asyncio.run(go_on())

    def chain_anew(self, keys: AuditKeys) -> None:
        """Compute all codes under the first of some keys, and put the head there."""
        end = BEGINNING
        with psycopg.connect(self.database.owner) as owner:
            owner.execute("SET session_replication_role = replica")
            rows = owner.execute(ALL).fetchall()
            for row in rows:
                event = replace(event_of(row), key_id=keys.current_id)
                mac = code_of(keys.secrets[keys.current_id], end.mac, event)
                end = ChainEnd(last_id=event.id, mac=mac, key_id=None, events=0)
                owner.execute(
                    "UPDATE audit_event SET key_id = %s, mac = %s WHERE id = %s",
                    [event.key_id, mac, event.id],
                )
            owner.execute(END_AT.format(end.last_id))


@pytest.fixture(scope="module")
def written(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Forgery, str]]:
    with postgres.copy_of(PortalDatabase) as database:
        forgery = Forgery(database, tmp_path_factory.mktemp("audit") / "heads.jsonl")
        forgery.run("INSERT INTO authority VALUES (2, 'Another')")
        forgery.go_on(4, keys=OLD)
        forgery.go_on(2, keys=OLD, sign=False)
        forgery.go_on(2, hours=1)
        forgery.go_on(4, hours=2)
        forgery.run(
            "CREATE TABLE kept_event AS TABLE audit_event",
            "CREATE TABLE kept_head AS TABLE audit_head",
        )
        yield forgery, forgery.heads.read_text()


@pytest.fixture
def forgery(written: tuple[Forgery, str]) -> Iterator[Forgery]:
    forgery, heads = written
    yield forgery
    forgery.heads.write_text(heads)
    forgery.run(
        "DELETE FROM audit_event",
        "INSERT INTO audit_event SELECT * FROM kept_event",
        "DELETE FROM audit_head",
        "INSERT INTO audit_head SELECT * FROM kept_head",
        "DELETE FROM audit_checkpoint",
    )


def test_what_nobody_touched_is_whole(forgery: Forgery) -> None:
    found = forgery.verify()

    assert found.findings == found.remarks == []
    assert (found.whole_to, found.events, found.purged_to) == (12, 12, 0)
    assert found.head is not None
    assert (found.head.number, found.head.end.last_id) == (3, 12)


def test_a_change_of_any_column_is_found(forgery: Forgery) -> None:
    columns = forgery.run(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = 'audit_event'::regclass AND attnum > 0 AND NOT attisdropped"
    )
    assert {name for (name,) in columns} == set(CHANGES)

    for column, value in CHANGES.items():
        forgery.run(CHANGE.format(column, value, 6))
        found = forgery.verify()

        wrong = "event 6 is missing." if column == "id" else "event 6 was changed"
        assert found.findings[0].startswith(wrong), column
        assert found.whole_to == 5
        assert found.head is not None
        assert found.head.number == 1
        forgery.run(
            "DELETE FROM audit_event WHERE id IN (6, 100)",
            "INSERT INTO audit_event SELECT * FROM kept_event WHERE id = 6",
        )


@pytest.mark.parametrize("instant", ["infinity", "-infinity", "0100-01-01 BC", "12000-01-01"])
def test_instants_and_numbers_that_no_event_has_stop_nobody_from_finding_them(
    forgery: Forgery, instant: str
) -> None:
    forgery.run(CHANGE.format("at", f"'{instant}'", 3), CHANGE.format("detail", "'[1e9999]'", 5))
    assert forgery.verify().findings[0].startswith("event 3 was changed")
    forgery.run(
        "UPDATE audit_event SET at = kept_event.at FROM kept_event "
        "WHERE audit_event.id = 3 AND kept_event.id = 3"
    )
    assert forgery.verify().findings[0].startswith("event 5 was changed")


MOVED: Final = "UPDATE audit_event SET id = {1} WHERE id = {0}"
ATTACKS: Final[dict[str, tuple[Sequence[str], str]]] = {
    "deletion at the beginning": (
        ["DELETE FROM audit_event WHERE id = 1"],
        "event 1 is missing.",
    ),
    "deletion in the middle": (
        ["DELETE FROM audit_event WHERE id IN (5, 6)"],
        "events 5 to 6 are missing.",
    ),
    "deletion with the rest moved up": (
        ["DELETE FROM audit_event WHERE id = 5"]
        + [MOVED.format(id_, id_ - 1) for id_ in range(6, 13)]
        + [END_AT.format(11)],
        "event 5 was changed",
    ),
    "a cut end": (
        ["DELETE FROM audit_event WHERE id > 10"],
        "events 11 to 12 are missing at the end.",
    ),
    "a cut end, and the row that tells of it": (
        ["DELETE FROM audit_event WHERE id > 10", END_AT.format(10)],
        "events 11 to 12 are missing at the end.",
    ),
    "everything deleted, and begun anew": (
        [
            "DELETE FROM audit_event",
            BEGUN_ANEW,
        ],
        "events 1 to 12 are missing at the end.",
    ),
    "two events that changed places": (
        [MOVED.format(5, 99), MOVED.format(6, 5), MOVED.format(99, 6)],
        "event 5 was changed, replaced, moved or inserted.",
    ),
    "an event that was made up in the middle": (
        [MOVED.format(id_, id_ + 1) for id_ in range(12, 6, -1)]
        + [
            MADE_UP.format(7),
            END_AT.format(13),
        ],
        "event 7 was changed, replaced, moved or inserted.",
    ),
    "an event that was made up at the end": (
        [
            MADE_UP.format(13),
            END_AT.format(13),
        ],
        "event 13 was changed, replaced, moved or inserted.",
    ),
    "an event without a code": (
        [
            "ALTER TABLE audit_event DROP CONSTRAINT IF EXISTS audit_event_chained",
            BARE,
        ],
        "event 13 is not chained",
    ),
    "all codes taken off": (
        [
            "ALTER TABLE audit_event DROP CONSTRAINT IF EXISTS audit_event_chained",
            "UPDATE audit_event SET key_id = NULL, mac = NULL, outcome = 'done'",
            "UPDATE audit_head SET key_id = NULL, mac = NULL",
        ],
        "Head 1 of 2020-06-20 10:00 UTC tells of another event 4",
    ),
    "no row that tells of the end": (
        ["DELETE FROM audit_head"],
        "The row that tells where the chain ends is gone.",
    ),
    "a checkpoint that nobody signed": (
        [
            "DELETE FROM audit_event WHERE id <= 4",
            "INSERT INTO audit_checkpoint VALUES (4, '{}')",
        ],
        "The checkpoint of purged events was not signed by us.",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_does_not_forge_itself(forgery: Forgery, attack: str) -> None:
    statements, finding = ATTACKS[attack]

    forgery.run(*statements)

    found = forgery.verify()
    assert found.findings
    assert found.findings[0].startswith(finding)


def test_a_chain_made_anew_without_the_key_is_found(forgery: Forgery) -> None:
    forgery.run("UPDATE audit_event SET outcome = 'done' WHERE id = 2")
    forgery.chain_anew(AuditKeys({"audit-2": bytes(32)}))

    assert forgery.verify().findings == ["event 1 was changed, replaced, moved or inserted."]


def test_a_chain_made_anew_under_a_stolen_key_is_found_by_heads(forgery: Forgery) -> None:
    for stolen, head, event in ((OLD, 2, 8), (KEYS, 1, 4)):
        forgery.chain_anew(stolen)

        assert (
            forgery.verify()
            .findings[0]
            .startswith(
                f"Head {head} of 2020-06-20 {9 + head}:00 UTC tells of another event {event}"
            )
        )


def test_codes_taken_off_and_adopted_anew_by_the_portal_are_found(forgery: Forgery) -> None:
    forgery.run(*ATTACKS["all codes taken off"][0])

    with pytest.raises(ChainBrokenError):
        forgery.go_on(1, hours=3)

    assert forgery.verify().findings[0].startswith("Head 1 of 2020-06-20 10:00 UTC")


def lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


HEADS: Final[dict[str, tuple[Callable[[str], str], Sequence[str]]]] = {
    "cut": (
        lambda text: "".join(lines(text)[:-1]),
        ["1 of 3 heads are missing in the files, the first is 3, the last 3."],
    ),
    "an old one": (
        lambda text: lines(text)[0],
        ["2 of 3 heads are missing in the files, the first is 2, the last 3."],
    ),
    "empty": (
        lambda _text: "",
        ["3 of 3 heads are missing in the files, the first is 1, the last 3."],
    ),
    "a line less": (
        lambda text: lines(text)[0] + lines(text)[2],
        ["1 of 3 heads are missing in the files, the first is 2, the last 2."],
    ),
    "a line that was changed": (
        lambda text: text.replace('"number": 2', '"number": 4'),
        [
            "heads.jsonl, line 2 is no head that was signed by us.",
            "1 of 3 heads are missing in the files, the first is 2, the last 2.",
        ],
    ),
    "a line that was torn": (
        lambda text: "".join(lines(text)[:-1]) + lines(text)[-1][:50],
        [
            "heads.jsonl, line 3 is no head that was signed by us.",
            "1 of 3 heads are missing in the files, the first is 3, the last 3.",
        ],
    ),
}


@pytest.mark.parametrize("forged", HEADS)
def test_a_file_of_heads_that_was_tampered_with_is_found(forgery: Forgery, forged: str) -> None:
    change, findings = HEADS[forged]
    text = forgery.heads.read_text()

    forgery.heads.write_text(change(text))

    assert [each.rpartition("/")[2] for each in forgery.verify().findings] == findings


def test_heads_that_a_stranger_signed_are_not_believed(forgery: Forgery) -> None:
    first = Verifiers.of(SIGNER).read(forgery.heads.read_text().splitlines()[0])
    forgery.heads.write_text(STRANGER.sign(first) + "\n")

    assert forgery.verify().findings[0].endswith("line 1 is no head that was signed by us.")


def test_whoever_rolls_back_database_and_heads_is_found_by_a_copy_elsewhere(
    forgery: Forgery, tmp_path: Path
) -> None:
    copy = tmp_path / "shipped.jsonl"
    copy.write_bytes(forgery.heads.read_bytes())
    forgery.heads.write_text("".join(lines(forgery.heads.read_text())[:2]))
    forgery.run(
        "DELETE FROM audit_event WHERE id > 8",
        END_AT.format(8),
        "UPDATE audit_head SET head_number = 2",
    )

    # What lies on one machine is consistent, as it was an hour before.
    assert forgery.verify().findings == []
    assert forgery.verify(copy).findings == ["events 9 to 12 are missing at the end."]


def test_a_restored_backup_shows_and_no_head_vouches_for_what_comes_after(
    forgery: Forgery,
) -> None:
    forgery.run(
        "DELETE FROM audit_event WHERE id > 8",
        END_AT.format(8),
        "UPDATE audit_head SET head_number = 2",
    )
    with pytest.raises(ChainBrokenError):
        forgery.go_on(5, hours=3)

    assert (
        forgery.verify()
        .findings[0]
        .startswith("Head 3 of 2020-06-20 12:00 UTC tells of another event 12")
    )
    # Whoever knows why puts the heads of what is lost elsewhere.
    forgery.heads.write_text("".join(lines(forgery.heads.read_text())[:2]))
    forgery.go_on(1, hours=4)
    assert forgery.verify().findings == []
