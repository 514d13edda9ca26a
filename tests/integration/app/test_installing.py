import json

import pytest

from immuni.app.pages.entrance import link_to
from tests.chromium import chromium
from tests.integration.app.browser import SECRET, browsing
from tests.integration.app.world import World

pytestmark = [pytest.mark.anyio, pytest.mark.browser]


async def test_a_browser_finds_nothing_that_keeps_the_app_from_being_installed(
    world: World,
) -> None:
    async with browsing(await world.add_ready("alice")) as served, chromium() as browser:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(link_to(served.origin, SECRET))
        await page.wait_for_url(f"{served.origin}/")
        devtools = await context.new_cdp_session(page)
        found = await devtools.send("Page.getAppManifest")
        errors = await devtools.send("Page.getInstallabilityErrors")
        icon = await served.get(json.loads(found["data"])["icons"][0]["src"])

    manifest = json.loads(found["data"])
    assert found["url"] == f"{served.origin}/manifest.webmanifest"
    assert found["errors"] == []
    # A window of the test's has no profile in which anything could be installed.
    assert {each["errorId"] for each in errors["installabilityErrors"]} <= {"in-incognito"}
    assert (manifest["start_url"], manifest["display"]) == ("/", "standalone")
    assert icon.headers["content-type"] == "image/svg+xml"
