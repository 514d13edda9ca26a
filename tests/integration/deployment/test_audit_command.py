"""``immuni audit`` beside a running system."""

import csv
import io
import json
from pathlib import Path

import pytest

from immuni.deployment.layout import Layout
from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from tests.running import RunningSystem, ended

pytestmark = pytest.mark.timeout(300)


def test_a_running_system_signs_heads_and_its_trail_verifies(system: RunningSystem) -> None:
    done = ended("audit", "verify", "--data-dir", system.data_dir, "--json")

    told = json.loads(done.stdout)
    assert done.returncode == 0
    (answer,) = TOLD["audit verify"].answers
    check_members(answer, told, where="audit verify")
    assert told["whole"] is True
    assert told["head"]["number"] >= 1
    assert told["whole_to"] == told["events"] >= 2


def test_heads_from_elsewhere_are_verified_with_a_public_key_from_elsewhere(
    system: RunningSystem, tmp_path: Path
) -> None:
    layout = Layout(system.data_dir)
    heads, key = tmp_path / "shipped.jsonl", tmp_path / layout.audit_head_public_key.name
    heads.write_bytes(layout.audit_heads.read_bytes())
    key.write_bytes(layout.audit_head_public_key.read_bytes())
    where = ("--data-dir", system.data_dir, "--heads", heads, "--public-key", key)
    assert ended("audit", "verify", *where).returncode == 0

    heads.write_text(heads.read_text().replace('"number": 1', '"number": 7'))

    found = ended("audit", "verify", *where)
    assert found.returncode == 1
    assert "line 1 is no head that was signed by us" in found.stdout


def test_the_trail_is_exported(system: RunningSystem) -> None:
    table = ended("audit", "export", "--data-dir", system.data_dir).stdout
    lines = ended("audit", "export", "--data-dir", system.data_dir, "--json").stdout
    none = ended("audit", "export", "--data-dir", system.data_dir, "--until", "2020-01-01").stdout

    rows = list(csv.DictReader(io.StringIO(table)))
    events = [json.loads(line) for line in lines.splitlines()]
    assert rows[0]["action"] == events[0]["action"] == "account_creation"
    assert [int(row["id"]) for row in rows] == [event["id"] for event in events]
    assert rows[0]["user"] == events[0]["user"] == "operator"
    assert len(none.splitlines()) == 1
