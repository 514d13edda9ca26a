import re
from datetime import timedelta
from html import unescape
from urllib.parse import quote, unquote

import pytest
from msgspec.structs import replace

from immuni.api import ConfigurationSettings
from immuni.app.phone import Phone
from immuni.app.record import AppRecord
from immuni.app.settings import SettingsInForce
from immuni.app.state import AtRisk, Neutral, Positive
from immuni.app.status import ServiceIssue
from tests.integration.app.browser import Browser, browsing, heading
from tests.integration.app.world import World, uploaded_keys

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
AOSTA = "Valle d'Aosta/Vallée d'Aoste"
PATHS = (
    "/",
    "/advice",
    "/history",
    "/settings",
    "/settings/language",
    "/settings/province",
    "/how-it-works",
    "/privacy",
    "/terms",
    "/about",
    "/support",
    "/own-data",
    "/own-data/delete",
    "/service/pause",
    "/upload",
    "/state/contacted",
    "/state/recovered",
)


@pytest.fixture
async def warned(world: World, met: tuple[Phone, Phone]) -> Phone:
    """Return a phone whose user was warned."""
    alice, bruno = met
    world.publish(1, await uploaded_keys(alice))
    await bruno.background_session()
    return bruno


async def walk_to_province(browser: Browser) -> None:
    await browser.post("/onboarding/welcome")
    await browser.post("/onboarding/privacy", {"age": "yes", "notice": "yes", "terms": "yes"})


async def test_the_onboarding_leads_from_the_welcome_to_the_home_screen(world: World) -> None:
    phone = await world.add("alice")
    async with browsing(phone) as browser:
        assert heading((await browser.get("/")).text) == "Phones that look after people"
        await walk_to_province(browser)
        regions = await browser.get("/onboarding/province")
        assert heading(regions.text) == "Where do you live?"
        provinces = await browser.get("/onboarding/province?region=Abruzzo")
        assert "Chieti" in provinces.text
        page = await browser.post("/onboarding/province", {"province": "CH"})
        for step in ("exposure-notifications", "location", "lock", "scams", "done"):
            assert page.url.path == f"/onboarding/{step}"
            page = await browser.post(f"/onboarding/{step}")

    assert heading(page.text) == "No warning for you"
    assert phone.status().active
    assert phone.record.province == "CH"


async def test_all_three_confirmations_are_needed(world: World) -> None:
    phone = await world.add("alice")
    async with browsing(phone) as browser:
        await browser.post("/onboarding/welcome")
        page = await browser.post("/onboarding/privacy", {"age": "yes", "terms": "yes"})

        assert "Please confirm all three points" in page.text
        assert (await browser.get("/")).url.path == "/onboarding/privacy"


async def test_an_onboarding_goes_on_after_a_restart_where_it_was_left(world: World) -> None:
    phone = await world.add("alice")
    async with browsing(phone) as browser:
        await walk_to_province(browser)
    await world.remove("alice")

    async with browsing(await world.add("alice")) as browser:
        assert (await browser.get("/")).url.path == "/onboarding/province"


async def test_a_region_with_one_province_and_abroad_need_no_second_choice(world: World) -> None:
    phone = await world.add("alice")
    async with browsing(phone) as browser:
        await walk_to_province(browser)
        one = await browser.get(f"/onboarding/province?region={quote(AOSTA)}")
        abroad = await browser.get("/onboarding/province?region=abroad")
        await browser.post("/onboarding/province", {"province": "EX"})

    assert 'value="AO"' in one.text
    assert 'value="EX"' in abroad.text
    assert phone.record.province == "EX"


@pytest.mark.parametrize("path", ["/settings", "/advice", "/history", "/upload", "/state/hidden"])
async def test_nothing_is_open_before_the_onboarding_is_complete(world: World, path: str) -> None:
    async with browsing(await world.add("alice")) as browser:
        assert (await browser.get(path)).url.path == "/onboarding/welcome"


async def test_a_warning_shows_its_day_and_what_to_do(warned: Phone) -> None:
    async with browsing(warned) as browser:
        home = await browser.get("/")
        advice = await browser.get("/advice")
        history = await browser.get("/history")

    assert heading(home.text) == "You may have been exposed"
    assert "Monday 8 June" in home.text
    assert "Call your doctor" in advice.text
    assert "not a diagnosis and not an order" in advice.text
    assert "30 minutes or longer" in history.text


async def test_who_has_read_the_advice_has_seen_the_warning(warned: Phone) -> None:
    async with browsing(warned) as browser:
        await browser.get("/")
        assert not warned.record.is_warning_seen

        await browser.get("/advice")

    assert warned.record.is_warning_seen
    assert warned.record.unseen is None


async def test_the_home_screen_is_told_of_news_and_of_nothing_else(world: World) -> None:
    alice, bruno = await world.add_ready("alice"), await world.add_ready("bruno")
    async with browsing(bruno) as browser:
        shown = re.search(r'hx-get="(/state\?shown=\w+)"', (await browser.get("/")).text)
        assert shown is not None
        assert (await browser.get(shown[1])).status_code == 204

        await world.meet(timedelta(minutes=30))
        await world.live(DAY)
        world.publish(1, await uploaded_keys(alice))
        await bruno.background_session()

        news = await browser.get(shown[1])
    assert "You may have been exposed" in news.text
    assert "hx-swap-oob" in news.text


@pytest.mark.parametrize("change", ["contacted", "hidden"])
async def test_a_warning_goes_away_after_a_second_question_only(warned: Phone, change: str) -> None:
    async with browsing(warned) as browser:
        await browser.get(f"/state/{change}")
        assert isinstance(warned.status().user, AtRisk)

        await browser.post(f"/state/{change}")

    assert warned.status().user == Neutral()
    assert len(warned.record.history) == 1


async def test_what_to_do_after_a_contact_can_be_read_when_the_warning_is_gone(
    warned: Phone,
) -> None:
    async with browsing(warned) as browser:
        await browser.post("/state/contacted")
        history = await browser.get("/history")
        now = await browser.get("/advice")
        then = await browser.get("/advice?after=contact")

    assert 'href="/advice?after=contact"' in history.text
    assert "Call your doctor" not in now.text
    assert "Call your doctor" in then.text
    assert 'href="tel:112"' in then.text
    assert "/state/" not in then.text


async def test_nobody_without_a_contact_reads_that_there_was_one(world: World) -> None:
    async with browsing(await world.add_ready("alice")) as browser:
        advice = await browser.get("/advice?after=contact")

    assert "Call your doctor" not in advice.text


async def test_whoever_is_warned_while_paused_reads_that_it_is_paused(warned: Phone) -> None:
    await warned.pause(None)
    async with browsing(warned) as browser:
        home = await browser.get("/")

    assert heading(home.text) == "You may have been exposed"
    assert "Immuni is paused" in home.text
    assert "It stays paused until you switch it on again." in home.text


async def test_every_step_back_to_a_service_that_works_is_shown_until_it_is_done(
    world: World,
) -> None:
    phone = await world.add_ready("alice")
    await phone.framework.stop()
    await phone.framework.switch_bluetooth(on=False)
    world.pass_over(2 * DAY)
    async with browsing(phone) as browser:
        home = await browser.get("/")
        assert "Exposure notifications are switched off." in home.text
        assert "Bluetooth is off." in home.text

        first = await browser.get("/service/reactivate")
        assert heading(first.text) == "Switch on exposure notifications"
        second = await browser.post("/service/reactivate", {"step": "switched_off"})
        assert heading(second.text) == "Switch on Bluetooth"
        refused = await browser.post("/service/reactivate", {"step": "bluetooth_off"})
        assert heading(refused.text) == "Switch on Bluetooth"
        assert "not done yet" in refused.text

        await phone.framework.switch_bluetooth(on=True)
        third = await browser.post("/service/reactivate", {"step": "bluetooth_off"})
        assert heading(third.text) == "Connect to the internet"
        last = await browser.get("/service/reactivate?after=no_recent_check")
        assert last.url.path == "/"

    assert phone.status().issues == (ServiceIssue.NO_RECENT_CHECK,)


async def test_a_pause_ends_by_itself_after_the_hours_that_were_chosen(world: World) -> None:
    phone = await world.add_ready("alice")
    async with browsing(phone) as browser:
        home = await browser.post("/service/pause", {"hours": "4"})
        assert heading(home.text) == "Immuni is paused"
        assert "Today at 04:00" in home.text
        assert phone.status().issues == (ServiceIssue.PAUSED,)
        await phone.background_session()
        assert phone.record.notifications == ()

        await world.live(timedelta(hours=4))

    assert phone.status().active


async def test_a_pause_without_end_lasts_until_it_is_ended(world: World) -> None:
    phone = await world.add_ready("alice")
    async with browsing(phone) as browser:
        await browser.post("/service/pause", {"hours": "9"})
        assert phone.status().active
        await browser.post("/service/pause", {"hours": "without-end"})
        await world.live(DAY)
        assert phone.status().issues[0] is ServiceIssue.PAUSED

        await browser.post("/service/resume")

    assert ServiceIssue.PAUSED not in phone.status().issues


async def test_help_shares_what_it_shows_and_nothing_of_the_person(warned: Phone) -> None:
    async with browsing(warned) as browser:
        alone = await browser.get("/support")
        warned._store.update(
            lambda record: replace(
                record,
                settings=SettingsInForce(
                    ConfigurationSettings(support_email="help@example.org", support_phone="800 91")
                ),
            )
        )
        page = await browser.get("/support")

    assert "mailto:" not in alone.text
    assert "tel:" not in alone.text
    assert 'href="tel:80091"' in page.text
    shown = re.search(r'<pre id="diagnostics"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    mailed = re.search(
        r'href="mailto:help@example.org\?subject=Immuni&amp;body=([^"]*)"', page.text
    )
    assert shown is not None
    assert mailed is not None
    assert unquote(mailed[1]).strip() == unescape(shown[1]).strip()
    assert "Obstacles: none" in shown[1]
    for private in ("Chieti", "CH", "risk", "8 June", "2020-06-08"):
        assert private not in shown[1]


async def test_the_own_data_can_be_read_taken_away_and_deleted(world: World) -> None:
    phone = await world.add_ready("alice")
    await world.live(DAY)
    async with browsing(phone) as browser:
        assert "Nothing about you has left" in (await browser.get("/own-data")).text
        await browser.get("/upload")
        assert phone.flow is not None
        world.servers.authorise(phone.flow.otp)
        await phone.check_code()
        await phone.upload(consent=True)
        shown = await browser.get("/own-data")
        file = await browser.post("/own-data/download")
        stranger = await browser.get("/own-data/download")
        keys = (await phone.framework.stored())["tek"]

        await browser.get("/own-data/delete")
        assert isinstance(phone.record.user, Positive)
        begin = await browser.post("/own-data/delete")

    assert "Your positive result" in shown.text
    assert "attachment" in file.headers["content-disposition"]
    assert file.json()["province"] == "CH"
    assert file.json()["stored"]["tek"] == keys > 0
    assert stranger.status_code == 405
    assert begin.url.path == "/onboarding/welcome"
    assert phone.record == AppRecord()
    assert (await phone.framework.stored())["tek"] == 0
    assert not phone.status().active


@pytest.mark.parametrize(
    ("accept", "expected"),
    [("it", "Nessun avviso per te"), ("de-DE", "Keine Warnung für Sie"), ("pt", "No warning for")],
)
async def test_the_pages_speak_the_language_of_the_browser(
    world: World, accept: str, expected: str
) -> None:
    async with browsing(await world.add_ready("alice")) as browser:
        assert expected in (await browser.get("/", accept_language=accept)).text


async def test_a_chosen_language_stays_chosen(world: World) -> None:
    phone = await world.add_ready("alice")
    async with browsing(phone) as browser:
        await browser.post("/settings/language", {"language": "fr"})
        await browser.post("/settings/language", {"language": "tlh"})
        page = await browser.get("/", accept_language="de")

    assert '<html lang="fr">' in page.text
    assert phone.record.language == "fr"


async def test_the_province_can_be_changed_to_another_one_only(world: World) -> None:
    phone = await world.add_ready("alice")
    async with browsing(phone) as browser:
        await browser.post("/settings/province", {"province": "MI"})
        await browser.post("/settings/province", {"province": "XX"})

    assert phone.record.province == "MI"


async def test_a_build_that_is_too_old_shows_nothing_but_the_update(world: World) -> None:
    phone = await world.add_ready("alice")
    world.servers.settings = {"minimum_build_version": 11}
    await phone.background_session()
    async with browsing(phone) as browser:
        assert heading((await browser.get("/")).text) == "Please update Immuni"


@pytest.mark.parametrize("language", ["en", "de", "es", "fr", "it"])
async def test_every_page_can_be_shown_in_every_language(world: World, language: str) -> None:
    tag = "en-GB" if language == "en" else language
    async with browsing(await world.add_ready("alice")) as browser:
        pages = [await browser.get(path, accept_language=language) for path in PATHS]

    assert [page.status_code for page in pages] == [200] * len(PATHS)
    assert all(f'<html lang="{tag}">' in page.text for page in pages)


async def test_what_does_not_exist_is_said_kindly(world: World) -> None:
    async with browsing(await world.add_ready("alice")) as browser:
        page = await browser.get("/nothing")

    assert page.status_code == 404
    assert heading(page.text) == "There is nothing here"
