import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from immuni.portal.audit.chain import (
    BEGINNING,
    ChainBrokenError,
    ChainEnd,
    Flaw,
    StoredEvent,
    code_of,
    encoded,
    extended,
)
from immuni.portal.audit.keys import AuditKeys

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
KEYS: Final = AuditKeys({"new": NEW, "old": OLD})
AT: Final = datetime(2020, 6, 20, 10, 0, 0, 1, tzinfo=UTC)
EVENT: Final = StoredEvent(
    id=1,
    authority_id=1,
    at=AT,
    account_id=7,
    action="authorisation",
    outcome="authorised",
    subject="",
    detail='{"b": 1, "a": "é"}',
    key_id="new",
)
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
events = st.builds(
    StoredEvent,
    id=st.just(0),
    authority_id=st.just(1),
    at=st.datetimes(timezones=st.just(UTC)),
    account_id=st.none() | st.integers(1, 99),
    action=st.sampled_from(["sign_in", "sign_out"]),
    outcome=texts,
    subject=texts,
    detail=st.dictionaries(texts, texts | st.integers(), max_size=3).map(json.dumps),
    key_id=st.just("old"),
)
trails = st.lists(events, min_size=1, max_size=8)


def chained(*written: StoredEvent, end: ChainEnd = BEGINNING) -> list[StoredEvent]:
    """Return events as they would be appended, those without a key as from before the chain."""
    trail = []
    for event in written:
        numbered = replace(event, id=end.last_id + 1)
        if numbered.key_id is not None:
            mac = code_of(KEYS.secrets[numbered.key_id], end.mac, numbered)
            numbered = replace(numbered, mac=mac)
        end = extended(end, numbered, KEYS)
        trail.append(numbered)
    return trail


def verify(trail: list[StoredEvent], keys: AuditKeys = KEYS) -> ChainEnd:
    return reduce(lambda end, event: extended(end, event, keys), trail, BEGINNING)


def flaw_of(trail: list[StoredEvent], keys: AuditKeys = KEYS) -> tuple[Flaw, int, int]:
    with pytest.raises(ChainBrokenError) as refused:
        verify(trail, keys)
    return refused.value.flaw, refused.value.first_id, refused.value.last_id


def test_the_code_is_the_documented_one() -> None:
    told = (
        b"immuni audit event 1\x00"
        rb'[1,1,1592647200000001,7,"authorisation","authorised","",'
        rb'"{\"a\":\"\\u00e9\",\"b\":1}","new"]'
    )

    assert encoded(EVENT) == told
    assert code_of(NEW, bytes(32), EVENT) == hmac.digest(NEW, bytes(32) + told, "sha256")


@settings(max_examples=40)
@given(events, events)
def test_different_events_are_never_encoded_alike(one: StoredEvent, other: StoredEvent) -> None:
    def said(event: StoredEvent) -> StoredEvent:
        return replace(event, detail=json.dumps(json.loads(event.detail), sort_keys=True))

    assert (encoded(one) == encoded(other)) == (said(one) == said(other))


@settings(max_examples=40)
@given(trails)
def test_what_was_written_verifies(written: list[StoredEvent]) -> None:
    trail = chained(*written)

    end = verify(trail)

    assert (end.last_id, end.events, end.mac) == (len(trail), len(trail), trail[-1].mac)


@settings(max_examples=40)
@given(trails, st.data())
def test_any_change_anywhere_is_found_where_it_is(
    written: list[StoredEvent], data: st.DataObject
) -> None:
    trail = chained(*written)
    place = data.draw(st.integers(0, len(trail) - 1))
    event = trail[place]
    later = AT if event.at != AT else AT + timedelta(microseconds=1)
    trail[place] = data.draw(
        st.sampled_from(
            [
                replace(event, authority_id=2),
                replace(event, at=later),
                replace(event, at=None),
                replace(event, account_id=100),
                replace(event, action="authorisation"),
                replace(event, outcome=event.outcome + "x"),
                replace(event, subject=event.subject + " "),
                replace(event, detail='{"no": "such"}'),
                replace(event, detail="[1e999]"),
                replace(event, key_id="new"),
                replace(event, mac=bytes(32)),
            ]
        )
    )

    assert flaw_of(trail) == (Flaw.CHANGED, place + 1, place + 1)


@settings(max_examples=40)
@given(trails, st.data())
def test_deletion_reordering_and_insertion_are_found(
    written: list[StoredEvent], data: st.DataObject
) -> None:
    trail = chained(*written, *written, *written)
    first = data.draw(st.integers(0, len(trail) - 3))
    last = data.draw(st.integers(first + 1, len(trail) - 2))

    without = trail[:first] + trail[last:]
    assert flaw_of(without) == (Flaw.MISSING, first + 1, last)

    closed_up = [replace(event, id=place + 1) for place, event in enumerate(without)]
    assert flaw_of(closed_up) == (Flaw.CHANGED, first + 1, first + 1)

    swapped = list(trail)
    swapped[first] = replace(trail[last], id=first + 1)
    swapped[last] = replace(trail[first], id=last + 1)
    assert flaw_of(swapped) == (Flaw.CHANGED, first + 1, first + 1)

    twice = [*trail[: first + 1], *trail[first:]]
    inserted = [replace(event, id=place + 1) for place, event in enumerate(twice)]
    assert flaw_of(inserted) == (Flaw.CHANGED, first + 2, first + 2)


def test_a_chain_made_anew_without_the_key_is_found_at_its_first_event() -> None:
    theirs = AuditKeys({"new": bytes(32)})
    forged, end = [], BEGINNING
    for _ in range(3):
        event = replace(EVENT, id=end.last_id + 1)
        event = replace(event, mac=code_of(bytes(32), end.mac, event))
        end = extended(end, event, theirs)
        forged.append(event)

    assert flaw_of(forged) == (Flaw.CHANGED, 1, 1)


def test_an_old_key_makes_no_event_behind_one_under_a_newer_key() -> None:
    old = replace(EVENT, key_id="old")
    trail = chained(old, EVENT)
    assert verify(trail).key_id == "new"

    end = verify(trail)
    forged = replace(old, id=3)
    forged = replace(forged, mac=code_of(OLD, end.mac, forged))

    assert flaw_of([*trail, forged]) == (Flaw.OLD_KEY, 3, 3)


def test_an_event_under_a_key_that_nobody_has_is_told_apart_from_a_change() -> None:
    trail = chained(replace(EVENT, key_id="old"), EVENT)

    assert flaw_of(trail, AuditKeys({"old": OLD})) == (Flaw.UNKNOWN_KEY, 2, 2)


def test_events_from_before_the_chain_are_vouched_for_by_the_first_code() -> None:
    early = replace(EVENT, key_id=None)
    trail = chained(early, early, EVENT, EVENT)
    # A transaction that failed before there was a chain left a gap.
    gap = replace(early, id=9)
    after = extended(extended(BEGINNING, early, KEYS), gap, KEYS)

    assert verify(trail).events == 4
    assert (after.last_id, after.events) == (9, 2)
    for place in (0, 1):
        changed = list(trail)
        changed[place] = replace(early, id=place + 1, subject="another")
        assert flaw_of(changed) == (Flaw.EARLY_CHANGED, 3, 3)
        assert flaw_of(trail[:place] + trail[place + 1 :])[0] in (Flaw.EARLY_CHANGED, Flaw.MISSING)


def test_nobody_takes_codes_off_a_chain() -> None:
    bare = [replace(each, key_id=None, mac=None) for each in chained(EVENT, EVENT)]
    half = [replace(each, mac=None) for each in chained(EVENT)]

    assert flaw_of([*chained(EVENT), bare[1]]) == (Flaw.UNCHAINED, 2, 2)
    assert flaw_of(half) == (Flaw.UNCHAINED, 1, 1)
    # All of them together look as from before the chain; what signed heads told of does not.
    assert verify(bare).mac != verify(chained(EVENT, EVENT)).mac
