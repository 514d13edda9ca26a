"""The story as phones in the field tell it: raw HTTP against a running system."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from immuni.export import read_unverified_export
from immuni.keys import DiagnosisKey
from tests.integration.deployment.existing_phone import (
    ExistingPhone,
    authorise,
    chunks,
    index,
    new_otp,
)
from tests.running import RunningSystem, ended, eventually

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True)
class Told:
    """What came of one upload.

    Attributes:
        phone: Who uploaded.
        otp: The code, which is used up.
        answers: Status codes, in the order of the story.
        job: What `immuni jobs run` printed.
        files: The chunks that came after the upload.
    """

    phone: ExistingPhone
    otp: str
    answers: Mapping[str, int]
    job: Mapping[str, Any]
    files: tuple[bytes, ...]

    def published(self) -> list[DiagnosisKey]:
        """Return every published key."""
        return [key for file in self.files for key in read_unverified_export(file).keys]


@pytest.fixture(scope="module")
def story(system: RunningSystem) -> Told:
    """Authorise, check, upload, publish, download."""
    phone, otp = ExistingPhone(system.told), new_otp()
    _, before = index(system.told)
    answers = {
        "check before": phone.check(otp).status_code,
        "authorise": authorise(system.told, otp).status_code,
        "authorise again": authorise(system.told, otp).status_code,
        "check": phone.check(otp).status_code,
        "upload": phone.upload(otp).status_code,
    }
    published = ended("jobs", "run", "publish", "--data-dir", system.data_dir, "--json")
    assert published.returncode == 0, published.stderr
    newest = eventually(
        lambda: max(index(system.told)) if max(index(system.told)) > before else None
    )
    files = tuple(chunks(system.told, range(before + 1, newest + 1)))
    return Told(phone, otp, answers, json.loads(published.stdout), files)


def test_a_code_opens_one_upload_once_it_is_authorised(story: Told) -> None:
    assert story.answers == {
        "check before": HTTPStatus.UNAUTHORIZED,
        "authorise": HTTPStatus.NO_CONTENT,
        "authorise again": HTTPStatus.CONFLICT,
        "check": HTTPStatus.NO_CONTENT,
        "upload": HTTPStatus.NO_CONTENT,
    }


def test_a_used_code_opens_no_upload_of_other_keys(story: Told, system: RunningSystem) -> None:
    refused = ExistingPhone(system.told).upload(story.otp)

    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert refused.json()["error_code"] == 1101


def test_the_job_tells_machines_what_it_did(story: Told) -> None:
    assert list(story.job) == ["job", "figures"]
    assert story.job["job"] == "publish"
    # The system publishes each minute by itself, and may have been first.
    figures = story.job["figures"]
    assert 0 <= figures["chunks"] <= len(story.files)
    assert figures["keys"] >= 140 * figures["chunks"]


def test_past_keys_are_published_among_others_and_todays_waits(story: Told) -> None:
    published = {key.tek.key_data for key in story.published()}

    assert len(published) >= 140
    # Yesterday's is due two hours after midnight, and nobody knows when this test runs.
    assert story.phone.keys[2] in published
    assert story.phone.keys[0] not in published


def test_keys_from_long_before_the_symptoms_are_not_published(story: Told) -> None:
    published = {key.tek.key_data for key in story.published()}

    assert not published & {data for age, data in story.phone.keys.items() if age > 3}


def test_what_is_published_keeps_no_order_of_uploads(story: Told) -> None:
    for file in story.files:
        published = [key.tek.key_data for key in read_unverified_export(file).keys]

        assert published == sorted(published)


def test_the_command_line_verifies_a_downloaded_chunk(
    story: Told, system: RunningSystem, tmp_path: Path
) -> None:
    for number, file in enumerate(story.files):
        chunk = tmp_path / f"{number}.zip"
        chunk.write_bytes(file)

        verified = ended(
            "export", "verify", chunk, "--key", system.told["export_public_key"], "--json"
        )

        assert verified.returncode == 0
        assert json.loads(verified.stdout)["verified"] is True
