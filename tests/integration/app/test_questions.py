"""Questions and answers: from the server or from the App itself, and in a browser."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from immuni.app.server import UnexpectedAnswerError, open_public_host
from immuni.app.transport import ServerUnreachableError
from immuni.texts import questions
from immuni.world.network import open_network
from tests.integration.app.browser import browsing
from tests.integration.app.serving import listening
from tests.integration.app.world import World

pytestmark = pytest.mark.anyio

NEWS = {"faqs": [{"title": "<b>Neu?</b>", "content": "Ja.\n\nSehr."}]}
DAY = timedelta(days=1)


class QuestionHost:
    """Gives out questions, or whatever else a test wants, and notes what it was asked."""

    def __init__(self) -> None:
        self.answer: Response = JSONResponse(NEWS, headers={"etag": '"1"'})
        self.asked: list[tuple[str, str]] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{language}", self._give)])

    async def _give(self, request: Request) -> Response:
        tag = request.headers.get("if-none-match", "")
        self.asked.append((request.path_params["language"], tag))
        return Response(status_code=304) if tag == '"1"' else self.answer


async def test_a_network_that_is_lost_carries_no_questions_either(world: World) -> None:
    host = QuestionHost()
    async with (
        listening(lambda _port: host.app()) as port,
        open_network({"texts": f"http://127.0.0.1:{port}"}) as network,
    ):
        named = f"http://127.0.0.1:{port}"
        build = replace(world.build(), lines={named: network.urls["texts"]})
        async with open_public_host(build, clock=world.clock) as public:
            network.switch(up=False)
            with pytest.raises(ServerUnreachableError):
                await public.questions(f"{named}/de", tag="")
            assert host.asked == []

            network.switch(up=True)
            assert await public.questions(f"{named}/de", tag="") is not None
    assert host.asked == [("de", "")]


async def test_the_newest_questions_are_fetched_once_a_day_in_all_languages_alike(
    world: World,
) -> None:
    host = QuestionHost()
    async with listening(lambda _port: host.app()) as port:
        world.servers.settings["faq_url"] = {
            code: f"http://127.0.0.1:{port}/{code}" for code in ("de", "it")
        }
        phone = await world.add_ready("alice")
        await phone.background_session()
        await phone.background_session()
        assert host.asked == [("de", ""), ("it", "")]
        assert [each.title for each in phone.questions("de")] == ["<b>Neu?</b>"]
        assert phone.questions("en") == questions("en")

        world.pass_over(DAY)
        await phone.background_session()
        assert host.asked[2:] == [("de", '"1"'), ("it", '"1"')]
        async with browsing(phone) as browser:
            page = (await browser.get("/faq", accept_language="de")).text

    assert "&lt;b&gt;Neu?&lt;/b&gt;" in page
    assert "<p>Ja.</p><p>Sehr.</p>" in page


async def test_what_is_kept_outlives_a_restart(world: World) -> None:
    host = QuestionHost()
    async with listening(lambda _port: host.app()) as port:
        world.servers.settings["faq_url"] = {"de": f"http://127.0.0.1:{port}/de"}
        await (await world.add_ready("alice")).background_session()
    await world.remove("alice")

    phone = await world.add("alice")
    assert [each.title for each in phone.questions("de")] == ["<b>Neu?</b>"]


@pytest.mark.parametrize(
    "answer",
    [
        Response("{", media_type="application/json"),
        JSONResponse({"faqs": []}),
        JSONResponse({"faqs": [{"title": 1}]}),
        JSONResponse(NEWS, status_code=500),
        Response(b"x" * 300_000),
        Response(status_code=304),
    ],
    ids=["cut", "empty", "malformed", "refused", "too long", "nothing new of nothing"],
)
async def test_what_cannot_be_read_changes_nothing(world: World, answer: Response) -> None:
    host = QuestionHost()
    host.answer = answer
    async with listening(lambda _port: host.app()) as port:
        world.servers.settings["faq_url"] = {"de": f"http://127.0.0.1:{port}/de"}
        phone = await world.add_ready("alice")
        await phone.background_session()

    assert host.asked == [("de", "")]
    assert phone.questions("de") == questions("de")
    assert phone.record.failure is None
    assert phone.record.last_check is not None


async def test_a_build_that_speaks_tls_never_asks_in_the_clear(world: World) -> None:
    host = QuestionHost()
    build = replace(world.build(), get_url="https://127.0.0.1:1")
    async with (
        listening(lambda _port: host.app()) as port,
        open_public_host(build, clock=world.clock) as public,
    ):
        with pytest.raises(UnexpectedAnswerError, match="another scheme"):
            await public.questions(f"http://127.0.0.1:{port}/de", tag="")

    assert host.asked == []


async def test_questions_are_searched_on_the_page(world: World) -> None:
    phone = await world.add_ready("alice")
    async with browsing(phone) as browser:
        everything = await browser.get("/faq")
        found = await browser.get("/faq?q=batery")
        nothing = await browser.get("/faq?q=%3Cxylophone%3E")

    assert _titles(everything) == [each.title for each in questions("en")]
    assert _titles(found)[0] == "Does it use up my battery?"
    assert "&lt;xylophone&gt;" in nothing.text
    assert "Nothing found" in nothing.text


async def test_the_newest_notice_is_led_to_and_never_fetched(world: World) -> None:
    address = "https://example.org/it"
    world.servers.settings |= {"pn_url": {"it": address}}
    phone = await world.add_ready("alice")
    await phone.background_session()
    async with browsing(phone) as browser:
        notice = await browser.get("/privacy", accept_language="it")
        terms = await browser.get("/terms", accept_language="it")

    assert f'href="{address}"' in notice.text
    assert address not in terms.text
    assert "/it" not in "".join(world.servers.asked)


def _titles(page: httpx.Response) -> list[str]:
    return [part.partition("</h2>")[0] for part in page.text.split("<summary><h2>")[1:]]
