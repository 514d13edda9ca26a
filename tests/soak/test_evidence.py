"""Each thing that a soak holds the system to can fail: what is planted here is found."""

from array import array
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from immuni.export import write_export
from immuni.keys import DiagnosisKey
from tests.soak.evidence import Evidence
from tests.soak.ledger import EMBARGO, Ledger, end_of
from tests.soak.visits import Answers
from tests.soak.watching import Counted, Logged, Sample
from tests.unit.export.chunks import SIGNER, Signer, a_key, an_export

ACCEPTED, REFUSED, SIMULATED = a_key(1), a_key(2), a_key(3)
DUE = end_of(ACCEPTED.tek) + EMBARGO


def a_chunk(*keys: DiagnosisKey, signer: Signer = SIGNER) -> bytes:
    return write_export(an_export(*keys), [signer])


def a_ledger(*chunks: bytes, now: datetime = DUE) -> Ledger:
    """Return the ledger of a town where one key was accepted, one refused, and chunks were read."""
    ledger = Ledger(SIGNER.verification_key)
    ledger.accept([ACCEPTED.tek], [])
    ledger.refuse([REFUSED.tek])
    for index, data in enumerate(chunks, start=1):
        ledger.read(index, data, now)
    return ledger


def answers(*seconds: float, status: int = 204) -> Answers:
    told = Answers(statuses=Counter({status: len(seconds)}))
    told.shaped_seconds = array("d", seconds)
    return told


def a_sample(**other: Any) -> Sample:  # noqa: ANN401 - any of its fields
    usual: dict[str, Any] = {
        "memory_mb": {"get": 50.0},
        "descriptors": {"get": 20},
        "connections": 20,
        "rows": {"queue": 6},
        "files": 8,
    }
    return Sample(**(usual | other))


def samples_with(at_the_end: Sample) -> list[Sample]:
    return [a_sample()] * 6 + [at_the_end] * 2


SOUND = Evidence(
    ledger=a_ledger(a_chunk(ACCEPTED), a_chunk(SIMULATED)),
    answers=answers(0.15, 0.2, 0.4),
    samples=[a_sample()] * 8,
    pids=({"get": 1}, {"get": 1}),
    logged=Logged(600, Counter()),
    counted=Counted(Counter({204: 3}), overruns=0),
    epidemiological=1,
    faults=[],
    leftovers={},
    published_at=DUE,
    most_overruns=0.001,
)


def test_a_sound_system_is_not_accused() -> None:
    assert SOUND.broken() == []


@pytest.mark.parametrize(
    ("chunks", "told"),
    [
        ([a_chunk(SIMULATED)], "1 keys of accepted uploads were not published"),
        ([a_chunk(ACCEPTED), a_chunk(ACCEPTED)], "chunk 2 repeats a key of chunk 1"),
        ([a_chunk(ACCEPTED, REFUSED)], "1 keys were published that no chunk may hold"),
        ([a_chunk(ACCEPTED, signer=Signer())], "chunk 1 cannot be read: SignatureMismatchError"),
    ],
)
def test_a_wrong_chunk_is_found(chunks: list[bytes], told: str) -> None:
    assert told in replace(SOUND, ledger=a_ledger(*chunks)).broken()


def test_a_gap_in_the_index_is_found() -> None:
    ledger = a_ledger(a_chunk(ACCEPTED))
    ledger.read(3, a_chunk(SIMULATED), DUE)

    assert replace(SOUND, ledger=ledger).broken() == ["chunk 3 came after chunk 1"]


def test_a_chunk_that_changes_is_found() -> None:
    ledger = a_ledger(a_chunk(ACCEPTED))
    ledger.read_again(1, a_chunk(ACCEPTED))
    assert replace(SOUND, ledger=ledger).broken() == []

    ledger.read_again(1, a_chunk(ACCEPTED, SIMULATED))

    assert replace(SOUND, ledger=ledger).broken() == ["chunk 1 has changed"]


def test_a_key_that_is_published_too_early_is_found() -> None:
    ledger = a_ledger(a_chunk(ACCEPTED), now=DUE - timedelta(seconds=1))

    assert replace(SOUND, ledger=ledger).broken() == ["chunk 1 holds a key under embargo"]


def test_a_key_under_embargo_is_not_missed_yet() -> None:
    seen = replace(SOUND, ledger=a_ledger(), published_at=DUE - timedelta(seconds=1))

    assert seen.broken() == []


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ({"epidemiological": 0}, "analytics has 0 infos of 1 uploads"),
        (
            {"answers": answers(0.15, 0.2, 0.149)},
            "1 shaped answers left before the floor",
        ),
        (
            {"counted": Counted(Counter({204: 3}), overruns=2)},
            "2 of 3 shaped answers were late",
        ),
        (
            {"counted": Counted(Counter({204: 2}), overruns=0)},
            "answers by status were {204: 3}, the services count {204: 2}",
        ),
        ({"pids": ({"get": 1}, {"get": 2})}, "these processes fell: get"),
        ({"pids": ({"get": 1}, {})}, "these processes fell: get"),
        (
            {"logged": Logged(600, Counter(["get.log: request_failed KeyError"]))},
            "1 × in get.log: request_failed KeyError",
        ),
        ({"logged": Logged(6000, Counter())}, "2000 bytes were logged for each request"),
        ({"faults": ["retention left 3 codes"]}, "retention left 3 codes"),
        ({"leftovers": {"outbox rows": 1}}, "1 outbox rows at the end"),
        ({"samples": [a_sample()]}, "only 1 samples: nothing can be said of growth"),
        (
            {"samples": samples_with(a_sample(memory_mb={"get": 70.0}))},
            "memory of get, in MB: grew from 50 to 70",
        ),
        (
            {"samples": samples_with(a_sample(descriptors={"get": 40}))},
            "descriptors of get: grew from 20 to 40",
        ),
        (
            {"samples": samples_with(a_sample(connections=40))},
            "connections to PostgreSQL: grew from 20 to 40",
        ),
        (
            {"samples": samples_with(a_sample(files=40))},
            "files in the store: grew from 8 to 40",
        ),
        (
            {"samples": samples_with(a_sample(rows={"queue": 100}))},
            "rows of the queue: grew from 6 to 100",
        ),
    ],
)
def test_what_must_not_be_is_told_in_a_sentence(planted: dict[str, Any], told: str) -> None:
    assert replace(SOUND, **planted).broken() == [told]


def test_an_answer_that_was_not_due_is_found() -> None:
    wrong = answers(0.2, 0.2, 0.2)
    wrong.unexpected["upload: 503"] += 1

    assert replace(SOUND, answers=wrong).broken() == [
        "1 × not the answer that was due to upload: 503"
    ]
