import re
from http import HTTPStatus

import httpx
import pytest

from immuni.entropy import SeededEntropy
from immuni.otp import check_digit
from immuni.portal.practising.codes import generate_practice_code
from tests.integration.portal.world import Visitor, World, hidden

pytestmark = pytest.mark.anyio

SYMPTOMS = {"onset": "2020-06-17"}
NO_SYMPTOMS = {"onset": "none", "tested": "2020-06-19"}
AFTER = "/practice/authorised"


@pytest.fixture
async def operator(world: World) -> Visitor:
    return await world.operator()


async def begin(operator: Visitor, scenario: str) -> dict[str, str]:
    """Open an exercise, and return its form without what the operator enters."""
    return form_of(await operator.get(f"/practice?scenario={scenario}"))


def form_of(page: httpx.Response) -> dict[str, str]:
    names = ("csrf", "id", "scenario", "shown", "attempt")
    return {name: hidden(page.text, name) for name in names}


async def practise(operator: Visitor, scenario: str, days: dict[str, str]) -> httpx.Response:
    form = await begin(operator, scenario)
    return await operator.post("/practice", {**form, "code": form["shown"], **days})


async def test_no_exercise_reaches_the_service_or_counts_anywhere(
    world: World, operator: Visitor
) -> None:
    world.wire.cut()

    answers = [
        await practise(operator, "smooth", SYMPTOMS),
        await practise(operator, "no_symptoms", NO_SYMPTOMS),
        await practise(operator, "misread", SYMPTOMS),
        await practise(operator, "time_over", SYMPTOMS),
        await practise(operator, "already", SYMPTOMS),
    ]
    down = await practise(operator, "unavailable", SYMPTOMS)
    again = {**form_of(down), "code": form_of(down)["shown"], **SYMPTOMS}
    after_all = await operator.post("/practice", again)

    assert [each.headers.get("location", "").partition("?")[0] for each in answers[:4]] == [
        AFTER
    ] * 4
    assert answers[4].status_code == HTTPStatus.CONFLICT
    assert down.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "Nothing is lost" in down.text
    assert after_all.headers["location"].startswith(AFTER)
    over = await operator.get("/practice/authorised?scenario=time_over")
    assert 'data-state="over"' in over.text
    assert world.wire.connections == 0
    assert await world.authorised_codes() == []
    assert await world.rows("SELECT * FROM work_day") == []
    assert await world.rows(
        "SELECT DISTINCT action FROM audit_event WHERE action <> 'sign_in'"
        " AND action <> 'account_creation'"
    ) == [("practice",)]
    assert (await operator.get("/authorised")).headers["location"] == "/"


async def test_each_screen_refuses_the_codes_of_the_other(world: World, operator: Visitor) -> None:
    practice = generate_practice_code(SeededEntropy("another"))
    form = await begin(operator, "smooth")

    on_the_real_screen = await operator.authorise(practice)
    real_one = await operator.post("/practice", {**form, "code": world.code(), **SYMPTOMS})

    assert on_the_real_screen.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This is a practice code, which authorises nothing." in verdict(on_the_real_screen)
    assert real_one.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "This is a real code; here nothing is authorised." in verdict(real_one)
    assert world.wire.connections == 0


def verdict(answer: httpx.Response) -> str:
    return answer.text.partition('id="code-verdict"')[2].partition("<template")[0]


async def test_whoever_did_not_listen_is_told(operator: Visitor) -> None:
    symptoms, test = "Right is: 3 days ago.", "Right is: No symptoms: day of the test, Yesterday."
    for scenario, days, field, sentence in (
        ("smooth", {"onset": "2020-06-20"}, "onset", "another day: listen once more. " + symptoms),
        ("smooth", NO_SYMPTOMS, "onset", "of symptoms, or of a test? " + symptoms),
        ("no_symptoms", SYMPTOMS, "onset", "of symptoms, or of a test? " + test),
        ("no_symptoms", {"onset": "none", "tested": "2020-06-20"}, "tested", "once more. " + test),
    ):
        answer = await practise(operator, scenario, days)

        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        said = answer.text.partition(f'id="{field}-verdict" role="alert">')[2]
        assert sentence in " ".join(said.partition("</div>")[0].split()), (scenario, days)
        # The keyboard is where the mistake is.
        assert re.findall(r'name="(\w+)"[^>]* autofocus', answer.text) == [field]


async def test_what_is_misread_first_is_noticed_and_what_is_read_again_is_not(
    operator: Visitor,
) -> None:
    page = await operator.get("/practice?scenario=misread")
    heard, read_again = re.findall(r'<strong class="shown">([^<]+)</strong>', page.text)
    form = form_of(page)

    answer = await operator.post("/practice", {**form, "code": heard, **SYMPTOMS})

    assert "This code is not right." in verdict(answer)
    assert read_again.replace(" ", "") == form["shown"]
    assert form_of(answer)["shown"] == form["shown"]
    assert check_digit(form["shown"][:9]) != form["shown"][9]


async def test_whoever_is_new_is_offered_the_first_steps_until_they_went_or_passed_them(
    world: World, operator: Visitor
) -> None:
    assert "New here?" in (await operator.get()).text
    last = (await operator.get("/guide?step=3")).text
    assert "Step 3 of 3" in last

    done = await operator.post("/guide", {"csrf": hidden(last, "csrf"), "to": "practice"})

    assert done.headers["location"] == "/practice"
    assert "New here?" not in (await operator.get()).text
    assert "New here?" not in (await (await world.operator()).get()).text
    assert (await operator.get("/guide")).status_code == HTTPStatus.OK
