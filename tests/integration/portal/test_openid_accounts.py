"""Whose account an OpenID provider opens, and who may say so."""

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from tests.integration.portal.provider import (
    NAME,
)
from tests.integration.portal.region import SIGN_IN, Region, linked, living_region, way_on
from tests.integration.portal.world import (
    add_account,
    hidden,
)

pytestmark = pytest.mark.anyio


async def test_an_identity_belongs_to_one_account(region: Region) -> None:
    world = region.world
    await linked(region)
    for user in ("bruno", "carla"):
        await add_account(world.pool, user, clock=world.clock, entropy=world.entropy)
    bruno = await world.visitor()
    await bruno.sign_in("bruno")

    taken = await region.link(bruno)
    assert taken.status_code == HTTPStatus.CONFLICT
    assert "anna" not in taken.text
    visitor = await world.visitor()
    await region.sign_in(visitor)
    assert "anna" in (await visitor.get()).text

    await world.change("UPDATE operator_account SET deactivated_at = now() WHERE id = 1")
    assert (await region.link(bruno)).status_code == HTTPStatus.SEE_OTHER
    region.provider.claims = {"sub": "another"}
    await region.link(bruno)
    rows = await world.rows(
        "SELECT subject, user_name FROM provider_identity JOIN operator_account ON id = account_id"
    )
    assert rows == [("another", "bruno")], "one identity for each provider"


async def test_unlinking_ends_it(region: Region) -> None:
    anna = await region.world.operator()
    await region.link(anna)
    page = (await anna.get("/account/providers")).text
    assert "Linked since" in page

    form = {"csrf": hidden(page, "csrf")}
    answer = await anna.post(f"/account/providers/{NAME}/unlink", form)
    await anna.post(f"/account/providers/{NAME}/unlink", form)

    assert answer.headers["location"] == "/account/providers"
    assert "Linked since" not in (await anna.get("/account/providers")).text
    refused = await region.sign_in(await region.world.visitor())
    assert refused.status_code == HTTPStatus.FORBIDDEN
    events = await region.world.rows(
        "SELECT account_id, outcome FROM audit_event WHERE action = 'provider_unlink'"
    )
    assert events == [(1, "done")]


async def test_an_account_is_linked_by_nobody_but_whoever_is_signed_in(region: Region) -> None:
    world = region.world
    await add_account(world.pool, "bruno", clock=world.clock, entropy=world.entropy)
    anna = await world.operator()
    page = (await anna.get("/account/providers")).text
    link = f"/account/providers/{NAME}/link"
    assert (await anna.post(link, {"csrf": "x"})).status_code == HTTPStatus.FORBIDDEN
    query = region.provider.answer(await region.way(anna, link, csrf=hidden(page, "csrf")))
    await anna.sign_in("bruno")

    answer = await region.arrive(anna, query)

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert await world.rows("SELECT count(*) FROM provider_identity") == [(0,)]


async def test_nothing_secret_is_kept_or_logged(
    region: Region, capfd: pytest.CaptureFixture[str]
) -> None:
    await linked(region)
    visitor = await region.world.visitor()
    way = await region.way(visitor)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(way).query).items()}
    kept = str(await region.world.rows("SELECT * FROM provider_flow"))
    cookie = visitor.http.cookies["immuni-provider"]
    answer = await region.arrive(visitor, region.provider.answer(way))

    assert asked["scope"] == "openid"
    secrets = [asked["state"], asked["nonce"], cookie, "an access token", "between: the portal"]
    logged = "".join(capfd.readouterr())
    for secret in secrets:
        assert secret not in kept + logged
    assert "immuni-provider" not in visitor.http.cookies
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert len({asked["state"], asked["nonce"], asked["code_challenge"], cookie}) == 4


async def test_the_way_leads_back_under_a_prefix_to_an_address_of_its_own(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> None:
    async with living_region(
        portal_database,
        services_database,
        certificates,
        public_url="https://his.example/portal",
        max_age=timedelta(hours=10),
    ) as region:
        answer = await (await region.world.visitor()).post(SIGN_IN, {})
        asked = parse_qs(urlsplit(way_on(answer.text)).query)
        back = await (await region.world.visitor()).get(f"{SIGN_IN}/back?state=x")

    assert asked["redirect_uri"] == [f"https://his.example/portal{SIGN_IN}/back"]
    assert asked["max_age"] == ["36000"]
    assert way_on(back.text) == f"/portal{SIGN_IN}/arrive?state=x"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-immuni-provider=")
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Max-Age=600", "Path=/"):
        assert word in cookie


async def test_the_way_back_shows_nothing_that_it_was_given_as_markup(region: Region) -> None:
    visitor = await region.world.visitor()

    page = (await visitor.get(f'{SIGN_IN}/back?"><script>alert(1)</script>&x=javascript:')).text

    assert "<script>" not in page
    assert way_on(page).startswith(f"{SIGN_IN}/arrive?")
    for path in (f"/sign-in/with/nobody/{step}" for step in ("back", "arrive")):
        assert (await visitor.get(path)).status_code == HTTPStatus.NOT_FOUND


async def test_another_site_can_make_nobody_set_out(region: Region) -> None:
    visitor = await region.world.visitor()

    answer = await visitor.http.post(SIGN_IN, headers={"Origin": "https://evil.example"})

    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "set-cookie" not in answer.headers
    assert (await visitor.get(SIGN_IN)).status_code == HTTPStatus.METHOD_NOT_ALLOWED
