"""What the page on CDNs says may be kept."""

import re

from immuni.web import NO_STORE
from scripts.reference.pages import ROOT
from scripts.reference.services import services

PAGE = (ROOT / "docs" / "how-to" / "cdn.md").read_text(encoding="utf-8")


def test_the_page_names_what_may_be_kept_and_for_how_long() -> None:
    told = dict(re.findall(r"^\| `GET ([^`?]+)[^`]*` \| `([^`]+)`", PAGE, re.MULTILINE))
    said = {
        endpoint.path.replace("{index}", "NUMBER"): endpoint.cache_control
        for service in services().values()
        for endpoint in service.endpoints
        if endpoint.cache_control != NO_STORE
    }

    assert told == said
