"""How many files a process may open."""

import resource
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from immuni.deployment import open_files
from immuni.deployment.open_files import WANTED, allow_open_files


@pytest.fixture(autouse=True)
def limit_as_it_was() -> Iterator[int]:
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield most
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


def test_a_process_opens_as_many_files_as_the_system_allows(limit_as_it_was: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limit_as_it_was))

    allow_open_files()

    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (limit_as_it_was, limit_as_it_was)


def test_a_system_that_allows_too_few_is_told_so(
    limit_as_it_was: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_logs() as quiet:
        monkeypatch.setattr(open_files, "WANTED", limit_as_it_was)
        allow_open_files()
    with capture_logs() as warned:
        monkeypatch.setattr(open_files, "WANTED", limit_as_it_was + 1)
        allow_open_files()

    assert quiet == []
    assert [(event["event"], event["limit"]) for event in warned] == [
        ("open_files_limited", limit_as_it_was)
    ]
    assert WANTED > 10_000
