"""The whole story, clicked by two users and an operator in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.running import RunningSystem, running_system

PHONE: Final = {"width": 390, "height": 844}
DESKTOP: Final = {"width": 1280, "height": 900}
# The next chunk is at most a minute away, and the phones look for it every few seconds.
WARNED_WITHIN_MILLISECONDS: Final = 100_000

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSystem]:
    with running_system(tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where the pictures of a run go; they are kept with pytest's other temporary files."""
    return tmp_path


def open_page(browser: Browser, url: str, size: dict[str, int]) -> Page:
    context = browser.new_context(
        locale="en-GB", viewport={"width": size["width"], "height": size["height"]}
    )
    page = context.new_page()
    page.goto(url)
    return page


def hosts_asked_by(page: Page, url: str) -> set[str]:
    """Open `url`, and return every host that anything on it was requested from."""
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(url)
    page.wait_for_load_state("load")
    return hosts


def code_on(phone: Page) -> str:
    """Return the code as a screen reader reads it out: letter by letter."""
    label = phone.locator(".code").get_attribute("aria-label") or ""
    return label.partition(":")[2].replace(",", "").replace(" ", "").strip(".")


def test_a_code_on_one_phone_becomes_a_warning_on_the_other(
    system: RunningSystem, browser: Browser, pictures: Path
) -> None:
    url_a, url_b = system.told["phones"]
    phone_a, phone_b = open_page(browser, url_a, PHONE), open_page(browser, url_b, PHONE)
    portal = open_page(browser, system.told["portal"], DESKTOP)
    expect(phone_b.get_by_role("heading", level=1)).to_have_text("No warning for you")

    phone_a.get_by_role("link", name="Tested positive?").click()
    code = code_on(phone_a)
    phone_a.screenshot(path=pictures / "code.png")

    account = system.told["demo_accounts"][0]
    portal.get_by_label("User name").fill(account["user"])
    portal.get_by_label("Password", exact=True).fill(account["password"])
    portal.get_by_role("button", name="Sign in").click()
    portal.get_by_label("The code on the phone").fill(f"{code[:3]} {code[3:7]}-{code[7:]}".lower())
    expect(portal.get_by_text("The ten characters fit together.")).to_be_visible()
    portal.locator("label.day", has_text="Yesterday").first.click()
    portal.get_by_role("button", name="Authorise").click()
    expect(portal).to_have_url(f"{system.told['portal']}/authorised")
    portal.screenshot(path=pictures / "authorised.png")

    phone_a.get_by_role("button", name="The operator has confirmed").click()
    phone_a.get_by_role("link", name="Continue").click()
    phone_a.get_by_role("button", name="Share", exact=True).click()
    phone_a.get_by_role("button", name="Send now").click()
    expect(phone_a.get_by_role("heading", level=1)).to_have_text("Thank you")

    expect(phone_b.get_by_role("heading", level=1)).to_have_text(
        "You may have been exposed", timeout=WARNED_WITHIN_MILLISECONDS
    )
    phone_b.screenshot(path=pictures / "warning.png")


def test_no_page_asks_anybody_else_for_anything(system: RunningSystem, browser: Browser) -> None:
    for url in (*system.told["phones"], system.told["portal"]):
        assert hosts_asked_by(browser.new_page(), url) == {urlsplit(url).netloc}


def test_a_phone_answers_to_its_own_name_only(system: RunningSystem, browser: Browser) -> None:
    url_a, _ = system.told["phones"]
    port = urlsplit(url_a).port

    answer = browser.new_page().goto(f"http://phone-x.localhost:{port}/")

    assert answer is not None
    assert answer.status >= 400
