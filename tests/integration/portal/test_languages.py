import re
from http import HTTPStatus

import pytest

from tests.integration.portal.world import Visitor, World

pytestmark = pytest.mark.anyio

LANGUAGES = {
    "en": ("Authorise a code", "The operator has confirmed"),
    "it": ("Autorizza un codice", "Il codice è confermato"),
    "de": ("Einen Code freigeben", "Der Code ist bestätigt"),
    "fr": ("Autoriser un code", "Le code est confirmé"),
    "es": ("Autorizar un código", "El código está confirmado"),
}


async def choose(visitor: Visitor, code: str, to: str = "/") -> str:
    answer = await visitor.get(f"/language/{code}?to={to}")
    assert answer.status_code == HTTPStatus.SEE_OTHER
    return str(answer.headers["location"])


async def test_every_language_is_chosen_before_and_after_signing_in(world: World) -> None:
    visitor = await world.visitor(language="it")

    for code in LANGUAGES:
        assert await choose(visitor, code, "/sign-in") == "/sign-in"
        assert f'<html lang="{code}">' in (await visitor.get("/sign-in")).text
    await visitor.sign_in()
    for code, (title, _) in LANGUAGES.items():
        await choose(visitor, code)
        page = (await visitor.get()).text
        assert f'<html lang="{code}">' in page
        assert f"<title>{title} · immuni</title>" in page


async def test_choosing_a_language_leads_nowhere_else(world: World) -> None:
    visitor = await world.visitor()

    for to in ("//evil.example/", "https://evil.example/", "/\\evil.example", "/a//b", "evil"):
        assert await choose(visitor, "de", to) == "/"
    assert await choose(visitor, "de", "/help") == "/help"
    assert (await visitor.get("/language/xx")).status_code == HTTPStatus.NOT_FOUND


async def test_what_to_say_is_kept_in_the_persons_language_whatever_that_of_the_page(
    world: World,
) -> None:
    operator = await world.operator()
    assert spoken_on((await operator.get()).text) == "en"

    await operator.authorise(world.code(), spoken="de")

    result = (await operator.get("/authorised")).text
    assert '<html lang="en">' in result
    assert spoken_on(result) == "de"
    for _, button in LANGUAGES.values():
        assert f"<b>{button}</b>" in result
    assert spoken_on((await operator.get("/?spoken=fr")).text) == "fr"
    assert spoken_on((await operator.get("/?spoken=xx")).text) == "fr"
    assert spoken_on((await operator.get("/help")).text) == "fr"


def spoken_on(page: str) -> str:
    (code,) = re.findall(r'name="spoken" value="(\w\w)" form="\w+" checked', page)
    return str(code)
