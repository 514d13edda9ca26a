"""The page that explains the HTTP contract says what the services really answer."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from immuni.api import ErrorCode
from immuni.backend.errors import ANSWERS
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS
from tests.contract import (
    test_analytics,
    test_configuration,
    test_otp,
    test_reporting,
    test_settings_authors,
    test_texts,
)
from tests.contract.documented import document
from tests.contract.ingestion_rows import DUMMIES, HEADERS, SPELT_OTHERWISE
from tests.contract.rows import Row

PAGE: Final = Path(__file__).parents[2] / "docs" / "explanation" / "http-contract.md"
FOR_ALL: Final = "For all services"
ROWS: Final = {
    "configuration": ("App Configuration", test_configuration.RULES),
    "otp": ("OTP Service", test_otp.REFUSED),
    "settings": ("Settings' authors", test_settings_authors.REFUSED),
    "ingestion": ("Exposure Ingestion", [*HEADERS, *SPELT_OTHERWISE, *DUMMIES]),
    "reporting": ("Exposure Reporting", test_reporting.RULES),
    "texts": ("Texts", test_texts.RULES),
    "analytics": ("Analytics", test_analytics.RULES),
}
FRAMEWORK: Final = {f"{status}/{ErrorCode.GENERAL:d}" for status in (404, 405, 500)}


def told_under(title: str) -> set[str]:
    """Return every answer that a section of the page names."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = (each for each in sections if each.startswith(f"{title}\n"))
    return set(re.findall(r"`([1-5]\d\d(?:/\d{4})?)`", section))


def answers_of(rows: Iterable[Row]) -> set[str]:
    """Return every answer of a table."""
    return {f"{row.status}/{row.code}" if row.code else str(row.status) for row in rows}


def documented(service: str) -> set[str]:
    """Return every answer that a service's document knows."""
    return {
        f"{status}/{code}" if code else status
        for path in document(service)["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        for code in re.findall(r"\d{4}", response["description"]) or [""]
    }


@pytest.mark.parametrize("service", ROWS)
def test_the_page_names_every_answer_of_the_tables(service: str) -> None:
    title, rows = ROWS[service]

    assert answers_of(rows) - {"200"} <= told_under(title) | told_under(FOR_ALL)


@pytest.mark.parametrize("service", ROWS)
def test_the_page_names_no_answer_that_a_service_does_not_give(service: str) -> None:
    title, _ = ROWS[service]

    assert told_under(title) <= documented(service)


def test_the_page_names_every_refusal_that_there_is() -> None:
    refusals = {f"{answer.status:d}/{answer.code:d}" for answer in ANSWERS.values()} | FRAMEWORK

    told = told_under(FOR_ALL).union(*(told_under(title) for title, _ in ROWS.values()))
    assert {each for each in told if "/" in each} == refusals


def test_the_page_on_publishing_gives_the_default_table() -> None:
    page = PAGE.with_name("publishing.md").read_text(encoding="utf-8")

    assert f"\n{DEFAULT_INFECTIOUSNESS.render()}\n" in page
