"""The settings of phones in the portal: one proposes, another publishes, nobody does both."""

import asyncio
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

import psycopg
import pytest

from immuni.api import Platform
from immuni.backend.configuration.rules import SettingEntry
from immuni.backend.configuration.store import publish, server_time
from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.accounts.roles import Role
from tests.integration.portal.settings_world import (
    SettingsWorld,
    act,
    change,
    propose,
    settings_world,
)
from tests.integration.portal.world import hidden

pytestmark = pytest.mark.anyio

PHONE: Final = "support_phone"
SEE_OTHER: Final = HTTPStatus.SEE_OTHER
APPROVED_AND_NOT_SENT: Final = (
    "UPDATE settings_proposal SET state = 'approved', request_id = 'first', decided_at = now(),"
    " decided_by = (SELECT id FROM operator_account WHERE user_name = 'grace')"
)
"""As if the portal had been killed before it asked the service."""


@pytest.fixture
async def here(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> AsyncIterator[SettingsWorld]:
    async with settings_world(portal_database, services_database, certificates) as world:
        yield world


async def publish_behind(here: SettingsWorld, *entries: SettingEntry) -> int:
    """Publish at the command line, past the portal."""
    async with await psycopg.AsyncConnection.connect(here.services.settings_author) as author:
        now = await server_time(author)
        return await publish(author, entries, author="cli", reason="urgent", now=now)


async def test_one_proposes_and_another_publishes(here: SettingsWorld) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")

    assert (await change(ada, PHONE, "1500", android="on")).status_code == SEE_OTHER
    assert (await change(ada, "minimum_build_version", "120")).status_code == SEE_OTHER
    proposed = await propose(ada)
    assert proposed.headers["location"].endswith("/settings/proposals/1")
    assert await here.entries() == ()
    assert "Proposal 1 of ada" in (await grace.get("/settings")).text
    approved = await act(grace, 1, "approve")

    assert approved.status_code == SEE_OTHER
    assert await here.told() == {PHONE: "1500", "minimum_build_version": 120}
    assert await here.told(Platform.ANDROID) == {PHONE: "1500"}
    assert await here.versions() == [(1, "ada", "grace")]
    assert "published as version 1" in (await grace.get("/settings/proposals/1")).text
    assert "grace" in (await ada.get("/settings/history")).text
    assert (await here.events()) == [
        ("settings_proposal", "done", "settings 1"),
        ("settings_approval", "done", "settings 1"),
        ("settings_publication", "done", "settings 1"),
    ]


async def test_nobody_approves_their_own(here: SettingsWorld) -> None:
    ada = await here.administrator("ada")
    grace = await here.administrator("grace")
    await change(ada, PHONE, "1500")
    await propose(ada)
    second_tab = await here.world.operator("ada")

    answers = [
        await act(ada, 1, "approve"),
        await act(second_tab, 1, "approve"),
        await act(ada, 1, "reject", reason="no"),
        await act(grace, 1, "withdraw"),
    ]

    assert [each.status_code for each in answers] == [HTTPStatus.CONFLICT] * 4
    assert (await here.states(), await here.versions()) == (["open"], [])


@pytest.mark.parametrize(
    "change_of_account",
    [
        "UPDATE operator_account SET role = 'auditor' WHERE user_name = 'ada'",
        "UPDATE operator_account SET deactivated_at = now() WHERE user_name = 'ada'",
    ],
    ids=["another role", "a closed account"],
)
async def test_who_no_longer_looks_after_settings_stands_behind_nothing(
    here: SettingsWorld, change_of_account: str
) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    await change(ada, PHONE, "1500")
    await propose(ada)
    page = (await grace.get("/settings/proposals/1")).text
    await here.world.change(change_of_account)

    answer = await grace.post("/settings/proposals/1/approve", {"csrf": hidden(page, "csrf")})

    assert answer.status_code == HTTPStatus.CONFLICT
    assert "does not look after settings any more" in answer.text
    assert (await here.states(), await here.versions()) == (["open"], [])


async def test_the_table_itself_wants_two_people(here: SettingsWorld) -> None:
    ada = await here.administrator("ada")
    await change(ada, PHONE, "1500")
    await propose(ada)

    with pytest.raises(psycopg.errors.CheckViolation):
        await here.world.change(
            "UPDATE settings_proposal SET state = 'approved', request_id = 'x',"
            " decided_by = author_id, decided_at = now()"
        )


async def test_only_administrators_see_the_pages(here: SettingsWorld) -> None:
    for role in (Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR):
        await here.world.add_account(f"some-{role}", role=role)
        visitor = await here.world.operator(f"some-{role}")
        for path in ("", "/history", "/draft", "/proposals", "/proposals/1", "/versions/1"):
            answer = await visitor.get(f"/settings{path}")
            assert answer.status_code == HTTPStatus.FORBIDDEN, (role, path)


async def test_of_two_who_approve_at_once_one_publishes(here: SettingsWorld) -> None:
    ada = await here.administrator("ada")
    others = [await here.administrator(name) for name in ("grace", "joan", "mary")]
    await change(ada, PHONE, "1500")
    await propose(ada)

    answers = await asyncio.gather(*(act(each, 1, "approve") for each in others))

    assert sorted(each.status_code for each in answers) in ([303, 409, 409], [303, 303, 409])
    assert len(await here.versions()) == 1
    approvals = [each for each in await here.events() if each[0] == "settings_approval"]
    assert len(approvals) == 1


async def test_a_proposal_that_was_overtaken_is_begun_anew_and_shows_conflicts(
    here: SettingsWorld,
) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    await change(ada, PHONE, "1500")
    await change(ada, "risk_duration", "86400")
    await propose(ada)
    page = (await grace.get("/settings/proposals/1")).text
    await publish_behind(here, SettingEntry(Platform.IOS, PHONE, 1, "112"))

    late = await grace.post("/settings/proposals/1/approve", {"csrf": hidden(page, "csrf")})
    assert late.status_code == HTTPStatus.CONFLICT
    assert await here.told() == {PHONE: "112"}
    assert "<button" not in late.text.partition("Approve and publish")[2]
    assert "112" in late.text.partition("somebody else published")[2]
    assert (await act(grace, 1, "renew")).status_code == HTTPStatus.CONFLICT

    assert (await act(ada, 1, "renew")).headers["location"] == "/settings/draft"
    assert (await propose(ada)).headers["location"] == "/settings/proposals/2"
    assert (await act(grace, 2, "approve")).status_code == SEE_OTHER
    assert await here.told() == {PHONE: "1500", "risk_duration": 86400}
    assert await here.states() == ["stale", "published"]


async def test_a_draft_that_was_overtaken_keeps_both_changes(here: SettingsWorld) -> None:
    ada = await here.administrator("ada")
    await change(ada, PHONE, "1500")
    await publish_behind(here, SettingEntry(Platform.ANDROID, PHONE, 1, "112"))

    refused = await propose(ada, based_on="1")
    page = (await ada.get("/settings/draft")).text
    await ada.post("/settings/draft/renew", {"csrf": hidden(page, "csrf")})
    proposed = await propose(ada)

    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "do not touch each other" in page
    assert proposed.status_code == SEE_OTHER
    ((entries,),) = await here.world.rows("SELECT entries FROM settings_proposal")
    assert [each["value"] for each in json.loads(str(entries))] == ["112", "1500"]


async def test_an_answer_that_was_lost_is_asked_for_again_and_publishes_once(
    here: SettingsWorld,
) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    await change(ada, PHONE, "1500")
    await propose(ada)
    await here.world.change(APPROVED_AND_NOT_SENT)
    page = (await grace.get("/settings/proposals/1")).text
    here.wire.lose_next_answer()

    answer = await grace.post("/settings/proposals/1/finish", {"csrf": hidden(page, "csrf")})

    assert answer.status_code == SEE_OTHER
    assert await here.versions() == [(1, "ada", "grace")]
    assert await here.states() == ["published"]


async def test_a_portal_that_fell_after_publishing_notes_the_same_version(
    here: SettingsWorld,
) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    await change(ada, PHONE, "1500")
    await propose(ada)
    await act(grace, 1, "approve")
    # As if it had been killed between the service's answer and its own note.
    await here.world.change("UPDATE settings_proposal SET state = 'approved', version = NULL")
    await publish_behind(here, SettingEntry(Platform.IOS, PHONE, 1, "112"))
    assert "Is it published?" in (await ada.get("/settings/proposals/1")).text

    assert (await act(ada, 1, "finish")).status_code == SEE_OTHER

    assert await here.world.rows("SELECT state, version FROM settings_proposal") == [
        ("published", 1)
    ]
    assert await here.told() == {PHONE: "112"}


async def test_what_is_known_not_to_be_published_is_open_again(here: SettingsWorld) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    await change(ada, PHONE, "1500")
    await propose(ada)
    await here.world.change(APPROVED_AND_NOT_SENT)
    await publish_behind(here, SettingEntry(Platform.IOS, PHONE, 1, "112"))

    assert (await act(grace, 1, "finish")).status_code == HTTPStatus.CONFLICT

    assert await here.states() == ["open"]
    assert (await here.events())[-1] == ("settings_publication", "refused", "settings 1")


async def test_without_the_service_nothing_is_decided_and_nothing_is_lost(
    here: SettingsWorld,
) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    await change(ada, PHONE, "1500")
    await propose(ada)
    page = (await grace.get("/settings/proposals/1")).text
    here.wire.cut()

    answers = [
        await grace.get("/settings"),
        await grace.post("/settings/proposals/1/approve", {"csrf": hidden(page, "csrf")}),
    ]

    assert [each.status_code for each in answers] == [HTTPStatus.SERVICE_UNAVAILABLE] * 2
    assert "does not answer" in answers[0].text
    assert await here.states() == ["open"]


async def test_an_old_version_comes_back_as_a_new_one_with_two_people(here: SettingsWorld) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    await publish_behind(here, SettingEntry(Platform.IOS, PHONE, 1, "1500"))
    await publish_behind(here, SettingEntry(Platform.IOS, PHONE, 1, "wrong"))

    page = (await ada.get("/settings/versions/1")).text
    form = {"csrf": hidden(page, "csrf")}
    nameless = await ada.post("/settings/versions/1", form)
    proposed = await ada.post("/settings/versions/1", {**form, "reason": "2 is wrong"})
    await act(grace, 1, "approve")

    assert nameless.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert proposed.headers["location"] == "/settings/proposals/1"
    assert await here.told() == {PHONE: "1500"}
    assert (await here.versions())[-1] == (3, "ada", "grace")
    assert (await ada.get("/settings/versions/4")).status_code == HTTPStatus.NOT_FOUND
    assert (await ada.get(f"/settings/versions/{'9' * 30}")).status_code == HTTPStatus.NOT_FOUND


async def test_dangers_have_to_be_meant_by_both(here: SettingsWorld) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    await change(ada, "service_end_date", "2020-12-31")

    unticked = await propose(ada, **{"danger-1": "something else"})
    await propose(ada)
    blind = await act(grace, 1, "approve", **{"danger-1": "something else"})

    assert unticked.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert blind.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert (await here.states(), await here.versions()) == (["open"], [])
    assert "the service ends on 2020-12-31" in blind.text
    assert (await act(grace, 1, "approve")).status_code == SEE_OTHER


async def test_a_rejection_says_why_and_a_withdrawal_ends_it(here: SettingsWorld) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    for value in ("1500", "112"):
        await change(ada, PHONE, value)
        await propose(ada)

    assert (await act(grace, 1, "reject", reason=" \t ")).status_code == 422
    await act(grace, 1, "reject", reason="the number is wrong")
    await act(ada, 2, "withdraw")

    assert "the number is wrong" in (await ada.get("/settings/proposals/1")).text
    assert await here.states() == ["rejected", "withdrawn"]
    for number in (1, 2):
        assert (await act(grace, number, "approve")).status_code == HTTPStatus.CONFLICT
    assert await here.versions() == []


HOSTILE: Final = {
    "deep": "[" * 5_000 + "]" * 5_000,
    "no number": '{"it": {"neutral": NaN}}',
    "endless": '{"it": {"neutral": ' + "9" * 5_000 + "}}",
    "a name twice": '{"it": {"neutral": "a"}, "it": {"neutral": "b"}}',
    "half a character": '{"it": {"neutral": "\\ud800"}}',
    "a character that cannot be kept": '{"it": {"neutral": "a\\u0000"}}',
    "another language": '{"italian": {"neutral": "a"}}',
    "no JSON": "{",
    "nothing": "",
}


async def test_hostile_json_is_refused_and_stays_in_its_field(here: SettingsWorld) -> None:
    ada = await here.administrator("ada")

    for why, text in HOSTILE.items():
        answer = await change(ada, "advice", text)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, why
        assert "</textarea>" in answer.text
    assert await here.world.rows("SELECT * FROM settings_draft") == []


NOT_ALLOWED: Final = [
    ("minimum_build_version", {"value": "0"}),
    ("minimum_build_version", {"value": "12o"}),
    ("minimum_build_version", {"value": "1e3"}),
    ("minimum_build_version", {"value": "1", "from_build": "20001"}),
    ("minimum_build_version", {"value": "1", "from_build": "\u0661"}),
    ("minimum_build_version", {"value": "1", "ios": "off"}),
    ("minimum_build_version", {"act": "nothing"}),
    ("dummy_teks_request_probabilities", {"value": "0.5 1.5"}),
    ("service_end_date", {"value": "2020-02-30"}),
    (PHONE, {"value": "x" * 101}),
]


async def test_what_is_not_allowed_does_not_get_into_a_draft(here: SettingsWorld) -> None:
    ada = await here.administrator("ada")

    for name, fields in NOT_ALLOWED:
        answer = await change(ada, name, **fields)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, (name, fields)
    assert await here.world.rows("SELECT * FROM settings_draft") == []


async def test_every_kind_of_change_can_be_made_and_taken_back(here: SettingsWorld) -> None:
    ada, grace = await here.administrator("ada"), await here.administrator("grace")
    scores = {f"value.{name}": "0 0 1 1 2 2 3 8" for name in (
        "attenuation_bucket_scores", "days_since_last_exposure_bucket_scores",
        "duration_bucket_scores", "transmission_risk_bucket_scores",
    )}  # fmt: skip
    weights = {f"value.{name}_weight": "1,5" for name in (
        "attenuation", "days_since_last_exposure", "duration", "transmission_risk",
    )}  # fmt: skip
    steps = [
        await change(
            ada,
            "exposure_configuration",
            **scores,
            **weights,
            **{"value.attenuation_thresholds": "50, 70", "value.minimum_risk_score": "1"},
        ),
        await change(ada, PHONE, act="nothing"),
        await change(ada, PHONE, act="withdraw", from_build="5"),
        await change(ada, "advice", '{"it": {"neutral": "Tutto bene"}}'),
        await change(ada, "operational_info_with_exposure_sampling_rate", "0.25"),
        await change(ada, "dummy_teks_request_probabilities", "0.9 0.1 0"),
        await change(ada, "risk_duration", "5"),
        await change(ada, "risk_duration", act="remove"),
    ]
    assert [each.status_code for each in steps] == [SEE_OTHER] * len(steps)
    page = (await ada.get("/settings/draft")).text
    place = {"name": "advice", "platform": "ios", "from_build": "1"}
    await ada.post("/settings/draft/undo", {"csrf": hidden(page, "csrf"), **place})
    await propose(ada)
    await act(grace, 1, "approve")

    told = await here.told()
    assert told.pop("exposure_configuration")["attenuation_weight"] == 1.5
    assert told == {
        PHONE: None,
        "operational_info_with_exposure_sampling_rate": 0.25,
        "dummy_teks_request_probabilities": [0.9, 0.1, 0],
    }
    assert PHONE not in await here.told(build=5)
