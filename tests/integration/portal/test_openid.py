import asyncio
import base64
import hmac
import json
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from starlette.responses import JSONResponse, Response

from immuni.deployment.databases import PortalDatabase, ServicesDatabase
from immuni.portal.oidc.conversation import MAX_ANSWER_BYTES, Conversations
from immuni.portal.oidc.failures import ProviderError, Reason
from immuni.portal.oidc.rules import Flow
from immuni.portal.signing_in.session import CookieSecret
from tests.integration.portal.provider import (
    NAME,
    TITLE,
    lying_provider,
    new_key,
)
from tests.integration.portal.region import (
    CLOCK,
    OTHER,
    SIGN_IN,
    Region,
    is_inside,
    linked,
    living_region,
)

pytestmark = pytest.mark.anyio


async def test_whoever_has_linked_their_account_gets_into_it(region: Region) -> None:
    await linked(region)
    visitor = await region.world.visitor()
    assert TITLE in (await visitor.get("/sign-in")).text

    answer = await region.sign_in(visitor)

    assert (answer.status_code, answer.headers["location"]) == (HTTPStatus.SEE_OTHER, "/")
    assert "anna" in (await visitor.get()).text
    events = await region.world.rows("SELECT action, detail FROM audit_event ORDER BY id")
    assert ("provider_link", {"provider": NAME}) in events
    assert events[-1] == ("sign_in", {"proof": "provider_one_factor"})


async def test_the_trail_tells_two_factors_at_a_provider_from_one(
    portal_database: PortalDatabase, services_database: ServicesDatabase, certificates: Path
) -> None:
    async with living_region(
        portal_database,
        services_database,
        certificates,
        second_factor_amr=frozenset({"mfa"}),
    ) as region:
        await linked(region)
        for region.provider.claims in ({"amr": ["pwd", "otp"]}, {"amr": ["pwd", "mfa"]}):
            await region.sign_in(await region.world.visitor())
        proofs = await region.world.rows(
            "SELECT detail->>'proof' FROM audit_event WHERE action = 'sign_in' ORDER BY id"
        )

    assert proofs[-2:] == [("provider_one_factor",), ("provider",)]


async def test_nobody_gets_in_who_is_not_linked_or_whose_account_is_closed(region: Region) -> None:
    stranger = await region.sign_in(await region.world.visitor())
    await linked(region)
    await region.world.change("UPDATE operator_account SET deactivated_at = now()")
    closed = await region.sign_in(await region.world.visitor())

    for answer in (stranger, closed):
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "No account here belongs to you yet" in answer.text
        assert "8a1f" not in answer.text
    accounts = await region.world.rows("SELECT count(*) FROM operator_account")
    assert accounts == [(1,)], "no sign-in makes an account"
    assert await region.refusals() == [("sign_in", "refused", None, "not_linked")] * 2


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "kid": "first"}, claims)
    return ".".join([*(base64url(json.dumps(part).encode()) for part in parts), ""])


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


async def test_a_token_of_which_anything_is_wrong_opens_nothing(region: Region) -> None:
    await linked(region)
    provider, now = region.provider, region.provider.now
    public = provider.keys[0].as_pem(private=False)

    def with_public_key(claims: dict[str, Any]) -> str:
        header = {"alg": "HS256", "kid": "first"}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{base64url(hmac.digest(public, signed.encode(), 'sha256'))}"

    def with_another_key(claims: dict[str, Any]) -> str:
        key = new_key("first")
        return jwt.encode({"alg": "RS256", "kid": "first"}, claims, key)

    wrong_claims: dict[str, dict[str, Any]] = {
        "another nonce": {"nonce": "x"},
        "no nonce": {"nonce": None},
        "for somebody else": {"aud": "another client"},
        "for others too": {"aud": ["the portal", "another client"], "azp": "the portal"},
        "of another party": {"azp": "another client"},
        "of another issuer": {"iss": "https://elsewhere.example"},
        "of nobody": {"iss": None},
        "over": {"exp": now - 61},
        "without end": {"exp": None},
        "not a number": {"exp": float("nan")},
        "of tomorrow": {"iat": now + 61},
        "of another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        "about nobody": {"sub": None},
        "about a number": {"sub": 8},
        "about too much": {"sub": "8" * 256},
        "with methods that are none": {"amr": "mfa"},
    }
    for what, claims in wrong_claims.items():
        provider.claims = claims
        answer = await region.sign_in(await region.world.visitor())
        assert (what, answer.status_code) == (what, HTTPStatus.BAD_GATEWAY)
        assert "set-cookie" not in answer.headers or "session" not in answer.headers["set-cookie"]
    provider.claims = {}
    for forge in (unsigned, with_public_key, with_another_key, lambda _claims: "no token"):
        provider.signed = forge
        answer = await region.sign_in(await region.world.visitor())
        assert (forge, answer.status_code) == (forge, HTTPStatus.BAD_GATEWAY)
    provider.signed = None
    assert {reason for *_, reason in await region.refusals()} == {"not_trusted"}

    for right in ({"at_hash": None}, {"exp": now - 59}, {"iat": now + 59}, {"aud": ["the portal"]}):
        provider.claims = right
        visitor = await region.world.visitor()
        await region.sign_in(visitor)
        assert await is_inside(visitor), right


async def test_an_answer_to_another_question_opens_nothing(region: Region) -> None:
    await linked(region)
    provider = region.provider
    mine, thiefs = await region.world.visitor(), await region.world.visitor()
    way, thiefs_way = await region.way(mine), await region.way(thiefs)
    thiefs_answer = provider.answer(thiefs_way)

    planted = await region.arrive(mine, thiefs_answer)
    stolen = await region.arrive(await region.world.visitor(), provider.answer(way))

    for answer in (planted, stolen):
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert "This sign-in is over" in answer.text
    again = await region.arrive(mine, provider.answer(way))
    assert again.status_code == HTTPStatus.BAD_REQUEST, "one way, one answer"
    assert not await is_inside(mine)


async def test_a_way_is_gone_once_is_over_in_ten_minutes_and_leads_to_one_provider(
    region: Region,
) -> None:
    await linked(region)
    visitor, late, confused = [await region.world.visitor() for _ in range(3)]
    query = region.provider.answer(await region.way(visitor))
    late_query = region.provider.answer(await region.way(late))
    confused_query = region.provider.answer(await region.way(confused))
    asked = len(region.provider.asked)

    mixed_up = await region.arrive(confused, confused_query, path=f"/sign-in/with/{OTHER}")
    both = await asyncio.gather(region.arrive(visitor, query), region.arrive(visitor, query))
    region.world.clock.advance(timedelta(minutes=10))
    over = await region.arrive(late, late_query)

    statuses = sorted(answer.status_code for answer in both)
    assert statuses == [HTTPStatus.SEE_OTHER, HTTPStatus.BAD_REQUEST]
    assert over.status_code == mixed_up.status_code == HTTPStatus.BAD_REQUEST
    assert region.provider.asked[asked:].count("/token") == 1
    await region.way(late)
    assert await region.world.rows("SELECT count(*) FROM provider_flow") == [(1,)]


async def test_a_replayed_code_and_a_foreign_issuer_open_nothing(region: Region) -> None:
    await linked(region)
    visitor = await region.world.visitor()
    used = region.provider.answer(await region.way(visitor))
    code = parse_qs(used)["code"][0]
    await region.arrive(visitor, used)

    replayed = await region.sign_in(await region.world.visitor(), code=code)
    foreign = await region.sign_in(await region.world.visitor(), iss="https://elsewhere.example")
    silent = await region.sign_in(await region.world.visitor(), iss="")

    assert replayed.status_code == HTTPStatus.UNAUTHORIZED
    assert foreign.status_code == silent.status_code == HTTPStatus.BAD_GATEWAY
    assert [reason for *_, reason in await region.refusals()] == [
        "refused",
        "not_trusted",
        "not_trusted",
    ]


async def test_what_a_provider_says_of_a_failure_is_told_in_our_words(region: Region) -> None:
    told = {
        "access_denied": ("You stopped at", HTTPStatus.OK),
        "server_error": ("does not answer", HTTPStatus.SERVICE_UNAVAILABLE),
        "<b>invalid</b>": ("did not let you through", HTTPStatus.UNAUTHORIZED),
    }
    for error, (words, status) in told.items():
        answer = await region.sign_in(
            await region.world.visitor(), code="", error=error, error_description="<b>evil</b>"
        )
        assert answer.status_code == status
        assert words in answer.text
        assert "evil" not in answer.text
        assert "invalid" not in answer.text


async def test_a_provider_that_is_down_or_confused_harms_nobody(region: Region) -> None:
    provider, visitor = region.provider, await region.world.visitor()
    squeezed = Response(b"x", headers={"Content-Encoding": "gzip"})
    answers = {
        HTTPStatus.BAD_GATEWAY: [
            squeezed,
            Response(b"[" * 100_000),
            JSONResponse({"access_token": "x"}),
            JSONResponse({"id_token": 8}),
            Response(status_code=302, headers={"Location": f"{provider.origin}/keys"}),
        ],
        HTTPStatus.SERVICE_UNAVAILABLE: [Response(status_code=500), Response(status_code=429)],
    }
    for status, wrong in answers.items():
        for provider.tokens in wrong:
            answer = await region.sign_in(visitor)
            assert (answer.status_code, provider.tokens.body[:9]) == (
                status,
                provider.tokens.body[:9],
            )
    assert provider.asked.count("/keys") == 0
    provider.tokens = None
    region.world.clock.advance(timedelta(hours=1))
    for described in (
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ):
        provider.described = described
        answer = await visitor.post(SIGN_IN, {})
        assert answer.status_code == HTTPStatus.BAD_GATEWAY, described
    provider.described = {}
    assert ("sign_in", "unavailable", None, "unreachable") in await region.refusals()


async def test_an_answer_without_end_is_not_read_to_its_end(region: Region) -> None:
    await linked(region)
    answers = []

    for region.provider.padding in (1000, MAX_ANSWER_BYTES):
        answers.append(await region.sign_in(await region.world.visitor()))

    long, endless = answers
    assert long.status_code == HTTPStatus.SEE_OTHER
    assert endless.status_code == HTTPStatus.BAD_GATEWAY


async def test_nobody_waits_for_a_provider_longer_than_the_settings_say() -> None:
    async with lying_provider() as provider:
        provider.released.clear()
        timeout = timedelta(milliseconds=50)
        conversations = Conversations([provider.as_provider()], clock=CLOCK, timeout=timeout)
        (conversation,) = conversations
        try:
            with pytest.raises(ProviderError) as caught:
                await conversation.way_to(Flow(CookieSecret(bytes(32))), redirect_uri="x")
        finally:
            await conversations.close()

    assert caught.value.reason is Reason.UNREACHABLE


async def test_new_keys_are_asked_for_and_strange_names_of_keys_not_often(region: Region) -> None:
    await linked(region)
    provider = region.provider
    asked = provider.asked.count("/keys")
    provider.keys.insert(0, new_key("second"))
    strange = new_key("strange")

    def strangely(claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "RS256", "kid": "strange"}, claims, strange)

    region.world.clock.advance(timedelta(minutes=1))
    provider.now += 60
    rotated = await region.sign_in(await region.world.visitor())
    assert rotated.status_code == HTTPStatus.SEE_OTHER
    assert provider.asked.count("/keys") == asked + 1

    provider.signed = strangely
    for _ in range(3):
        answer = await region.sign_in(await region.world.visitor())
        assert answer.status_code == HTTPStatus.BAD_GATEWAY
    assert provider.asked.count("/keys") == asked + 1
    provider.signed = None
    await region.sign_in(await region.world.visitor())
    assert provider.asked.count("/.well-known/openid-configuration") == 1
