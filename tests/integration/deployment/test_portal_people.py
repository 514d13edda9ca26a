"""The first administrator of a new portal, and the way out, from the command line."""

import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from immuni.deployment.databases import PortalDatabase
from immuni.portal.accounts.invitations import InvitationToken

URL = "https://his.example/portal"


@pytest.fixture
def settings(tmp_path: Path, portal_database: PortalDatabase) -> Path:
    values = {
        "data_dir": str(tmp_path),
        "portal_url": URL,
        "portal_database_url": portal_database.portal,
        "audit_keys": "audit-1:" + "aa" * 32,
    }
    file = tmp_path / "settings.toml"
    file.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items()))
    return file


def immuni(settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "immuni", "portal", *arguments, "--config", settings],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_first_administrator_is_invited_and_whoever_must_go_goes(
    settings: Path, portal_database: PortalDatabase
) -> None:
    invite = ("invite", "--role", "administrator", "--organisation", "Regione Lazio")
    invited = immuni(settings, *invite)
    assert invited.returncode == 0, invited.stderr
    link = invited.stdout.strip()
    start, _, token = link.partition("#")

    assert start == f"{URL}/join"
    with psycopg.connect(portal_database.owner) as connection:
        hashes = connection.execute("SELECT token_hash, role FROM invitation").fetchall()
        connection.execute(
            "INSERT INTO operator_account (organisation_id, user_name, role, created_at)"
            " VALUES (1, 'anna', 'administrator', now())"
        )
    assert hashes == [(InvitationToken.parse(token).hash, "administrator")]

    gone = json.loads(immuni(settings, "deactivate", "Anna", "--json").stdout)
    nobody = immuni(settings, "deactivate", "nobody")

    assert gone == {"deactivated": "Anna", "has_administrator": False}
    assert (nobody.returncode, "nobody has that user name" in nobody.stderr) == (1, True)
    with psycopg.connect(portal_database.owner) as connection:
        query = "SELECT action, account_id, subject FROM audit_event ORDER BY id"
        events = connection.execute(query).fetchall()
    assert events == [
        ("invitation", None, "invitation 1"),
        ("account_deactivation", None, "account 1"),
    ]


def test_a_role_that_there_is_not_is_wrong_use(settings: Path) -> None:
    answer = immuni(settings, "invite", "--role", "king", "--organisation", "x")

    assert answer.returncode == 2
