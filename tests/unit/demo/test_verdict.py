"""The verdict over the story can be that it failed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from immuni.api import Platform, ProvinceCode
from immuni.app.build import Build, pinned_tls
from immuni.app.phone import Phone
from immuni.app.record import CheckFailure, StoredSummary
from immuni.app.state import AtRisk, Neutral, Positive, UserState
from immuni.app.storage import AppStore
from immuni.crypto import AEM, RPI
from immuni.demo.reports import KeptReport
from immuni.demo.verdict import (
    EXPECTED_SCORE,
    StoryFailedError,
    require_figure,
    require_frugality,
    require_report,
    require_silence,
    require_warning,
)
from immuni.deployment.virtual_phones import VirtualPhone
from immuni.entropy import SeededEntropy
from immuni.export import Export
from immuni.framework import FileKeyStore
from immuni.keys import DiagnosisKey, TemporaryExposureKey, first_interval_of
from immuni.matching import Sighting
from tests.unit.framework.phones import NOON, World

TODAY = NOON.date()
MEETING_DAY = TODAY - timedelta(days=2)
PUBLISHED = TemporaryExposureKey(bytes(range(16)), first_interval_of(MEETING_DAY))
HEARD = RPI(bytes(range(100, 116)))

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Handset:
    """A phone, and a hand in its memory.

    Attributes:
        virtual: The phone.
        memory: Where its App remembers.
    """

    virtual: VirtualPhone
    memory: AppStore

    @property
    def phone(self) -> Phone:
        """What a user has in hand."""
        return self.virtual.phone

    def remember(self, user: UserState, *scores: int) -> None:
        """Have the App remember a check that came to this."""
        summaries = tuple(a_summary(score) for score in scores)
        self.memory.update(
            lambda record: replace(
                record, user=user, summaries=summaries, last_check=NOON, last_processed_chunk=1
            )
        )

    def hear(self, identifier: bytes) -> None:
        """Have the phone hear an identifier."""
        sighting = Sighting(RPI(identifier), AEM(bytes(4)), -60, NOON)
        self.virtual.store.sightings.add([sighting])


def a_summary(score: int) -> StoredSummary:
    return StoredSummary(
        detected_on=TODAY,
        matched_key_count=1,
        last_exposure_day=MEETING_DAY,
        attenuation_durations=(1800, 0, 0),
        maximum_risk_score=score,
    )


def a_chunk(*teks: TemporaryExposureKey) -> Export:
    return Export(
        start=NOON - timedelta(hours=4),
        end=NOON,
        region="222",
        batch_num=1,
        batch_size=1,
        keys=tuple(DiagnosisKey(tek, transmission_risk_level=1) for tek in teks),
        revised_keys=(),
        signature_infos=(),
    )


@pytest.fixture
async def handset(tmp_path: Path) -> AsyncIterator[Handset]:
    world = World(tmp_path)
    framework = await world.add_active("phone")
    entropy = SeededEntropy("the App's")
    memory = AppStore.open(tmp_path / "app.db", FileKeyStore(tmp_path / "app.key"), entropy=entropy)
    build = Build(
        platform=Platform.ANDROID,
        number=1,
        get_url="http://nowhere.invalid",
        upload_url="http://nowhere.invalid",
        analytics_url="http://nowhere.invalid",
        settings_keys={},
        tls=pinned_tls(None),
    )
    phone = Phone(
        build=build, framework=framework, store=memory, clock=world.clock, entropy=entropy
    )
    yield Handset(VirtualPhone(phone, world.stores["phone"]), memory)
    memory.close()
    await world.close()


async def test_a_warning_with_the_right_day_and_score_passes(handset: Handset) -> None:
    handset.remember(AtRisk(MEETING_DAY), 10, EXPECTED_SCORE)

    warning = require_warning(handset.phone, day=MEETING_DAY)

    assert (warning.day, warning.total_risk_score) == (MEETING_DAY, EXPECTED_SCORE)


@pytest.mark.parametrize("user", [Neutral(), Positive(TODAY)])
async def test_a_phone_that_did_not_warn_fails(user: UserState, handset: Handset) -> None:
    handset.remember(user, EXPECTED_SCORE)

    with pytest.raises(StoryFailedError, match="phone B did not warn"):
        require_warning(handset.phone, day=MEETING_DAY)


async def test_a_phone_that_could_not_check_fails_and_says_why(handset: Handset) -> None:
    handset.memory.update(lambda record: replace(record, failure=CheckFailure.CHUNK_NOT_SIGNED))

    with pytest.raises(StoryFailedError, match="chunk_not_signed"):
        require_warning(handset.phone, day=MEETING_DAY)
    with pytest.raises(StoryFailedError, match="phone C did not check: chunk_not_signed"):
        require_silence(handset.phone)


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_warning_of_another_day_fails(days: int, handset: Handset) -> None:
    handset.remember(AtRisk(MEETING_DAY + timedelta(days=days)), EXPECTED_SCORE)

    with pytest.raises(StoryFailedError, match=f"the meeting was {MEETING_DAY}"):
        require_warning(handset.phone, day=MEETING_DAY)


@pytest.mark.parametrize("scores", [(), (EXPECTED_SCORE - 1,), (EXPECTED_SCORE + 1,)])
async def test_a_warning_with_another_score_fails(
    scores: tuple[int, ...], handset: Handset
) -> None:
    handset.remember(AtRisk(MEETING_DAY), *scores)

    with pytest.raises(StoryFailedError, match=f"want {EXPECTED_SCORE}"):
        require_warning(handset.phone, day=MEETING_DAY)


async def test_a_phone_that_checked_and_found_nothing_passes(handset: Handset) -> None:
    handset.remember(Neutral())

    require_silence(handset.phone)


@pytest.mark.parametrize(
    ("user", "scores"),
    [
        (AtRisk(MEETING_DAY), (EXPECTED_SCORE,)),
        (AtRisk(MEETING_DAY), ()),
        (Neutral(), (1,)),
        (Positive(TODAY), ()),
    ],
)
async def test_a_far_phone_that_found_anything_fails(
    user: UserState, scores: tuple[int, ...], handset: Handset
) -> None:
    handset.remember(user, *scores)

    with pytest.raises(StoryFailedError, match="phone C was warned"):
        require_silence(handset.phone)


async def test_a_far_phone_that_never_checked_fails(handset: Handset) -> None:
    with pytest.raises(StoryFailedError, match="phone C did not check"):
        require_silence(handset.phone)


async def test_a_database_with_what_was_heard_and_no_more_passes(handset: Handset) -> None:
    handset.hear(HEARD)

    assert require_frugality(handset.virtual, a_chunk(PUBLISHED)) == 1


async def test_a_database_that_holds_a_published_key_fails(handset: Handset) -> None:
    handset.hear(HEARD)
    handset.hear(PUBLISHED.key_data)

    with pytest.raises(StoryFailedError, match="holds a published key"):
        require_frugality(handset.virtual, a_chunk(PUBLISHED))


async def test_a_published_key_among_the_phones_own_fails(handset: Handset) -> None:
    handset.hear(HEARD)
    own = handset.virtual.store.keys.all()[0].tek

    with pytest.raises(StoryFailedError, match="holds a published key"):
        require_frugality(handset.virtual, a_chunk(PUBLISHED, own))


async def test_a_phone_that_heard_nothing_proves_nothing(handset: Handset) -> None:
    with pytest.raises(StoryFailedError, match="does not show what phone B heard"):
        require_frugality(handset.virtual, a_chunk(PUBLISHED))


def test_the_expected_score_is_that_of_half_an_hour_at_a_metre() -> None:
    attenuation, days, duration, transmission = 5, 1, 5, 1

    assert attenuation * days * duration * transmission == EXPECTED_SCORE
    assert isinstance(MEETING_DAY, date)


MILAN = ProvinceCode("MI")
REPORT = KeptReport("android", MILAN, MEETING_DAY, TODAY)


def test_one_report_that_says_what_was_warned_of_passes() -> None:
    assert require_report([REPORT], province=MILAN, day=MEETING_DAY) == REPORT


@pytest.mark.parametrize(
    "kept",
    [
        [],
        [REPORT, REPORT],
        [KeptReport("ios", MILAN, MEETING_DAY, TODAY)],
        [KeptReport("android", "RM", MEETING_DAY, TODAY)],
        [KeptReport("android", MILAN, TODAY, TODAY)],
    ],
    ids=["none", "two", "another platform", "another province", "another day"],
)
def test_any_other_outcome_of_reporting_fails(kept: list[KeptReport]) -> None:
    with pytest.raises(StoryFailedError, match="report"):
        require_report(kept, province=MILAN, day=MEETING_DAY)


def test_the_number_of_phones_that_is_shown_has_to_be_the_one_that_reported() -> None:
    require_figure(12, phones=12)


@pytest.mark.parametrize("shown", [None, 0, 1, 11, 13])
def test_any_other_figure_fails(shown: int | None) -> None:
    with pytest.raises(StoryFailedError, match="want 12"):
        require_figure(shown, phones=12)
