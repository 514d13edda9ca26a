"""The internal side of App Configuration over real HTTP and a real database.

That nobody without a client's certificate gets so far is shown where TLS is spoken.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import httpx
import psycopg
import pytest
from prometheus_client import CollectorRegistry

from immuni.backend.configuration.authoring import authoring_service
from immuni.backend.contract import HttpSettings, create_app
from immuni.database import open_pool
from immuni.deployment.databases import ServicesDatabase
from tests.contract.rows import Row, broken_rows
from tests.contract.serving import serving

pytestmark = pytest.mark.anyio

IN_FORCE: Final = "/v1/configuration/in-force"
VERSIONS: Final = "/v1/configuration/versions"
CHECK: Final = "/v1/configuration/check"
PUBLISH: Final = "/v1/configuration/publish"
USUAL: Final = {"content-type": "application/json", "immuni-request-id": "first"}


@asynccontextmanager
async def settings_authors(database: ServicesDatabase) -> AsyncIterator[httpx.AsyncClient]:
    """Serve it, with the login that it has."""
    async with open_pool(database.settings_author, max_size=4) as pool:
        service = authoring_service(pool=pool)
        app = create_app([service], settings=HttpSettings(), registry=CollectorRegistry())
        async with serving(app) as client:
            yield client


@pytest.fixture
async def authors(services_database: ServicesDatabase) -> AsyncIterator[httpx.AsyncClient]:
    async with settings_authors(services_database) as client:
        yield client


def entry(name: str = "support_phone", value: object = "1500", **other: object) -> dict[str, Any]:
    """Return what a set says of one setting."""
    return {"platform": "ios", "name": name, "from_build": 1, "value": value, **other}


def order(**other: object) -> dict[str, Any]:
    """Return what may be published when nothing was yet."""
    people = {"author": "ada", "approver": "grace", "reason": "a trial"}
    return {"entries": [entry()], "based_on": 0, **people, **other}


def published(body: object, *, rule: str = "", status: int = 400, code: int | None = 1001) -> Row:
    """Return a rule about what is published."""
    return Row(rule=rule, method="POST", path=PUBLISH, body=body, status=status, code=code)


REFUSED: Final = [
    published(order(approver="ada"), rule="one person"),
    published(order(approver="ADA"), rule="one person in capitals"),
    published(order(approver="\uff41da"), rule="one person in a wide letter"),
    published(order(approver=None), rule="nobody approves"),
    published(order(author="a b"), rule="a name of two words"),
    published(order(reason=""), rule="no reason"),
    published(order(reason="   "), rule="a reason of spaces"),
    published(order(reason="a\u0000b"), rule="a reason with a character that cannot be kept"),
    published(order(reason="x" * 501), rule="a long reason"),
    published(order(entries=[]), rule="nothing would change"),
    published(order(entries=[entry(), entry(value="1")]), rule="a place twice"),
    published(order(entries=[entry(name="misspelt")]), rule="an unknown setting"),
    published(order(entries=[entry(value=1500)]), rule="a number for a text"),
    published(order(entries=[entry(value="15\u0000")]), rule="a text that cannot be kept"),
    published(order(entries=[entry(from_build=0)]), rule="no build"),
    published(order(entries=[entry(platform="windows")]), rule="another platform"),
    published(order(entries=[{**entry(), "author": "x"}]), rule="an unknown member inside"),
    published(order(other=1), rule="an unknown member"),
    published(order(entries=[entry("minimum_build_version", 9)]), rule="a danger not meant"),
    published(
        order(entries=[entry("minimum_build_version", 9)], dangers=["another"]),
        rule="another danger meant",
    ),
    published(order(based_on=1), rule="a base that is not in force", status=409, code=1500),
    published(b"{" * 3, rule="no JSON"),
    published(b"[" * 100_000, rule="very deep"),
    published(
        json.dumps(order(entries=[entry(value=0)])).replace(": 0,", ": NaN,").encode(),
        rule="no number",
    ),
    published(
        json.dumps(order(entries=[entry("risk_duration", 77)])).replace("77", "7" * 5000).encode(),
        rule="an endless number",
    ),
    published(
        json.dumps(order(entries=[entry("risk_duration", 77)])).replace("77", "1e400").encode(),
        rule="a number without an end",
    ),
    replace(published(order(), rule="no request id"), headers={"immuni-request-id": None}),
    Row(rule="GET to publish", path=PUBLISH, status=405, code=1000),
    Row(rule="no such version", path=f"{VERSIONS}/1", status=404, code=1501),
    Row(rule="a version that is no number", path=f"{VERSIONS}/one", status=400, code=1001),
    Row(
        rule="compared with no version",
        method="POST",
        path=CHECK,
        body={"entries": [], "against": 1},
        status=404,
        code=1501,
    ),
]


async def test_what_the_rules_forbid_is_refused_and_nothing_is_published(
    authors: httpx.AsyncClient,
) -> None:
    assert await broken_rows(authors, REFUSED, usual=USUAL, service="settings") == {}
    assert (await authors.get(IN_FORCE)).json() == {"version": 0, "entries": []}


async def ask(authors: httpx.AsyncClient, body: object, request_id: str) -> httpx.Response:
    headers = {"immuni-request-id": request_id}
    return await authors.post(PUBLISH, json=body, headers=headers)


async def test_what_two_people_want_is_published_and_remembered_with_both(
    authors: httpx.AsyncClient,
) -> None:
    answer = await ask(authors, order(), "first")

    assert (answer.status_code, answer.json()) == (200, {"version": 1})
    told = {"version": 1, "entries": [{**entry(), "withdrawn": False}]}
    assert (await authors.get(IN_FORCE)).json() == told
    assert (await authors.get(f"{VERSIONS}/1")).json() == told
    (publication,) = (await authors.get(VERSIONS)).json()["publications"]
    assert publication.pop("published_at")
    assert publication == {
        "version": 1,
        "author": "ada",
        "approver": "grace",
        "reason": "a trial",
        "entry_count": 1,
    }


async def test_the_same_request_again_publishes_nothing_more(authors: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(ask(authors, order(), "first") for _ in range(4)))
    another = await ask(authors, order(reason="another"), "first")
    later = await ask(authors, order(based_on=1, entries=[entry(value="2")]), "second")
    again = await ask(authors, order(), "first")

    assert {(each.status_code, each.text) for each in answers} == {(200, '{"version":1}')}
    assert (another.status_code, another.json()["error_code"]) == (409, 1502)
    assert later.json() == {"version": 2}
    assert again.json() == {"version": 1}
    assert (await authors.get(IN_FORCE)).json()["version"] == 2


async def test_of_two_sets_on_one_base_one_is_published(authors: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(
        *(ask(authors, order(entries=[entry(value=str(n))]), f"request-{n}") for n in range(4))
    )

    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
    assert len((await authors.get(VERSIONS)).json()["publications"]) == 1


async def test_a_check_tells_faults_or_changes_and_dangers_and_keeps_nothing(
    authors: httpx.AsyncClient,
) -> None:
    async def checked(**body: object) -> Any:  # noqa: ANN401 - JSON
        return (await authors.post(CHECK, json=body)).raise_for_status().json()

    await ask(authors, order(), "first")
    ending = entry("service_end_date", "2020-12-31")

    faulty = await checked(entries=[entry(value=1), entry("misspelt"), ending])
    good = await checked(entries=[ending])
    from_nothing = await checked(entries=[ending], against=0)

    assert [len(faulty[each]) for each in ("faults", "changes", "dangers")] == [2, 0, 0]
    assert good["dangers"] == ["ios from build 1: the service ends on 2020-12-31"]
    assert good["changes"] == [
        {"before": None, "after": {**ending, "withdrawn": False}},
        {"before": {**entry(), "withdrawn": False}, "after": None},
    ]
    assert (from_nothing["against"], len(from_nothing["changes"])) == (0, 1)
    assert (await authors.get(IN_FORCE)).json()["version"] == 1


async def test_a_danger_that_is_meant_is_published(authors: httpx.AsyncClient) -> None:
    entries = [entry("minimum_build_version", 9)]
    told = (await authors.post(CHECK, json={"entries": entries})).json()["dangers"]

    answer = await ask(authors, order(entries=entries, dangers=told), "first")

    assert len(told) == 1
    assert answer.status_code == 200


async def test_the_database_itself_wants_two_people(services_database: ServicesDatabase) -> None:
    insert = (
        "INSERT INTO configuration.version"
        " (number, published_at, author, reason, approver, request_id)"
        " VALUES (1, now(), 'Ada', 'a trial', %s, %s)"
    )
    with psycopg.connect(services_database.settings_author, autocommit=True) as author:
        for approver, request_id in [("ada", "first"), ("grace", None), (None, "first")]:
            with pytest.raises(psycopg.errors.CheckViolation):
                author.execute(insert, [approver, request_id])
        author.execute(insert, ["grace", "first"])
