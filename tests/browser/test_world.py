"""The whole story, played by hand on the page of the world, in a real browser."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.axe import RUN, SCRIPT
from tests.running import RunningSystem, running_system

WIDE: Final = {"width": 1280, "height": 900}
# Hours pass in seconds, and phones look for chunks every few seconds.
PATIENCE_MILLISECONDS: Final = 60_000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    with running_system(tmp_path_factory.mktemp("system")) as running:
        yield running


def open_page(browser: Browser, url: str) -> Page:
    context = browser.new_context(
        locale="en-GB", viewport={"width": WIDE["width"], "height": WIDE["height"]}
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto(url)
    return page


def screen(world: Page, label: str) -> FrameLocator:
    return world.frame_locator(f"#frame-{label}")


def expect_title(screen: FrameLocator, title: str) -> None:
    expect(screen.get_by_role("heading", level=1)).to_have_text(
        title, timeout=PATIENCE_MILLISECONDS
    )


def expect_step(world: Page, text: str) -> None:
    expect(world.locator("#next-title")).to_have_text(text, timeout=PATIENCE_MILLISECONDS)


def happened(world: Page, text: str) -> None:
    expect(world.locator("#chronicle")).to_contain_text(text, timeout=PATIENCE_MILLISECONDS)


def press(screen: Page | FrameLocator, name: str) -> None:
    screen.get_by_role("button", name=name, exact=True).click()


def hosts_asked_by(page: Page, url: str) -> set[str]:
    """Open `url`, and return every host that anything on it was requested from."""
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(url)
    # The link opens the door, and leads on.
    page.wait_for_url(lambda there: "/open" not in there)
    page.wait_for_load_state("load")
    return hosts


def violations(world: Page) -> list[str]:
    """Return what keeps people out of the page itself; the phones' screens are looked at alone."""
    world.evaluate(SCRIPT)
    world.emulate_media(reduced_motion="reduce")
    found: list[str] = world.evaluate(RUN)
    return found


def test_the_story_can_be_played_by_hand_from_the_welcome_to_the_warning_and_recovery(
    system: RunningSystem, browser: Browser, tmp_path: Path
) -> None:
    world = open_page(browser, system.told["world"])
    phone_a, phone_b = screen(world, "A"), screen(world, "B")
    expect_title(phone_b, "No warning for you")
    press(world, "Bluetooth of phone B")
    expect_title(phone_b, "Immuni needs you for a moment")
    press(world, "Bluetooth of phone B")
    expect_title(phone_b, "No warning for you")

    expect_step(world, "Set up phone A")
    press(world, "Skip the welcome")
    expect_title(phone_a, "No warning for you")

    expect_step(world, "Put the phones near each other")
    press(world, "1 m")
    expect_step(world, "Let an hour pass")
    press(world, "1 hour")
    happened(world, "The phones heard each other")
    happened(world, "No server was told")

    expect_step(world, "Let a day pass")
    press(world, "Another town")
    press(world, "1 day")
    happened(world, "A day passed.")

    expect_step(world, "Phone A’s user tests positive")
    world.locator("#positive-A").click()
    expect_step(world, "The operator authorises the code")
    assert violations(world) == []
    press(world, "Authorise the code")
    expect_step(world, "Upload on phone A")
    press(phone_a, "The operator has confirmed")
    phone_a.get_by_role("link", name="Continue").click()
    press(phone_a, "Share")
    # The servers publish each minute by themselves, too.
    press(world, "Network of phone B")
    happened(world, "Phone B lost the network")
    press(phone_a, "Send now")
    expect_title(phone_a, "Thank you")
    happened(world, "Phone A uploaded its daily keys")

    press(world, "1 hour")
    happened(world, "Phone A downloaded chunk 1")
    expect_title(phone_b, "No warning for you")
    press(world, "Network of phone B")
    expect_title(phone_b, "You may have been exposed")
    happened(world, "warns its user of a contact")
    world.evaluate("scrollTo(0, 0)")
    world.screenshot(path=tmp_path / "warned.png")

    world.locator("#well-A").click()
    press(phone_a, "Yes, I have recovered")
    expect_step(world, "One was warned, and nobody knows that they met")
    expect_title(phone_a, "No warning for you")


def test_whoever_starts_again_finds_both_phones_as_at_the_beginning(
    system: RunningSystem, browser: Browser
) -> None:
    world = open_page(browser, system.told["world"])
    press(world, "Network of phone B")
    happened(world, "Phone B lost the network")

    press(world, "Start again")

    expect_step(world, "Set up phone A")
    expect(world.locator("#chronicle li")).to_have_count(0)
    expect(world.locator("#network-B")).to_have_text("Network on")
    expect_title(screen(world, "B"), "No warning for you")
    expect(screen(world, "A").get_by_text("No warning for you")).to_have_count(0)


def test_nobody_but_the_world_shows_a_phone_in_a_frame(
    system: RunningSystem, browser: Browser
) -> None:
    url, _ = system.told["phones"]
    page = browser.new_page()
    # Of the same site as the world, as far as a browser is concerned.
    stranger = "http://stranger.world.localhost:8080/"
    body = f'<iframe id="phone" src="{url}"></iframe>'
    page.route(stranger, lambda route: route.fulfill(body=body, content_type="text/html"))

    page.goto(stranger, wait_until="load")

    assert [frame.url for frame in page.frames[1:]] == ["chrome-error://chromewebdata/"]


def test_nobody_without_the_link_sees_or_moves_the_world(system: RunningSystem) -> None:
    address = urlsplit(system.told["world"])
    with httpx.Client(
        base_url=f"http://127.0.0.1:{address.port}",
        headers={"Host": address.netloc, "Origin": f"http://{address.netloc}"},
        trust_env=False,
    ) as anybody:
        seen = anybody.get("/")
        moved = anybody.post("/place", data={"place": "far"})
        assert [seen.status_code, moved.status_code] == [HTTPStatus.FORBIDDEN] * 2
        assert system.told["demo_accounts"][0]["password"] not in seen.text

        anybody.post("/open", data={"secret": address.fragment})
        forged = anybody.post("/place", data={"place": "far"}, headers={"Origin": "http://x.test"})
        moved = anybody.post("/place", data={"place": "far"})
        assert [forged.status_code, moved.status_code] == [403, HTTPStatus.SEE_OTHER]


def test_no_page_asks_anybody_else_for_anything(system: RunningSystem, browser: Browser) -> None:
    pages = [system.told["world"], *system.told["phones"]]
    hosts = [urlsplit(page).netloc for page in pages]

    assert hosts_asked_by(browser.new_page(), pages[0]) == set(hosts)
    assert hosts_asked_by(browser.new_page(), pages[1]) == {hosts[1]}
    portal = system.told["portal"]
    assert hosts_asked_by(browser.new_page(), portal) == {urlsplit(portal).netloc}


def test_a_phone_answers_to_its_own_name_only(system: RunningSystem, browser: Browser) -> None:
    url_a, _ = system.told["phones"]
    port = urlsplit(url_a).port

    answer = browser.new_page().goto(f"http://phone-x.world.localhost:{port}/")

    assert answer is not None
    assert answer.status >= HTTPStatus.BAD_REQUEST
