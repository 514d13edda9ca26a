"""``immuni certs``: made, watched and renewed on the command line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from immuni.deployment.certificates import InternalCertificates
from immuni.deployment.certification import issue, issue_authority, read_identity
from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from tests.unit.cli.command_line import Outcome, immuni

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAKE = ("make", "--otp-host", "otp.internal.example", "--otp-host", "10.0.0.5")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InternalCertificates:
    monkeypatch.setenv("IMMUNI_DATA_DIR", str(tmp_path))
    return InternalCertificates(tmp_path / "certificates")


def certs(*arguments: str) -> Outcome:
    return immuni("certs", *arguments)


def without_countdown(outcome: Outcome) -> list[dict[str, object]]:
    """Return what is told of certificates, but for what goes on counting while one looks."""
    return [{**row, "seconds_left": None} for row in outcome.json]


def names(outcome: Outcome) -> dict[str, bool]:
    """Return which certificates there are, and which of them are in use."""
    assert outcome.code == 0
    return {row["name"]: row["in_use"] for row in outcome.json}


def test_certificates_are_made_for_the_hosts_that_are_named(files: InternalCertificates) -> None:
    made = certs(*MAKE, "--json")

    assert {row["name"]: row["hosts"] for row in made.json} == {
        "authority": [],
        "server": ["otp.internal.example", "10.0.0.5"],
        "client": ["portal.localhost"],
    }
    check_members(TOLD["certs list"].answers[0], made.json, where="certs make")
    listed, listed_for_a_day = certs("list", "--json"), certs("list", "--within", "1d", "--json")
    assert without_countdown(listed) == without_countdown(listed_for_a_day)
    assert files.trusted.read_bytes() == files.authority.certificate.read_bytes()


def test_what_is_there_is_not_made_anew(files: InternalCertificates) -> None:
    certs(*MAKE)
    before = files.authority.key.read_bytes()

    assert certs(*MAKE).code == 1
    assert files.authority.key.read_bytes() == before


@pytest.mark.parametrize("host", ["", "a b", "-a", "UPPER", "a..b", "https://a", "*.example"])
def test_a_host_that_is_none_is_refused(files: InternalCertificates, host: str) -> None:
    assert certs("make", "--otp-host", host).code == 1
    assert not files.folder.exists()


@pytest.mark.usefixtures("files")
def test_what_ends_soon_is_told_by_the_exit_code() -> None:
    certs(*MAKE)

    due = certs("list", "--within", "398d", "--json")

    assert certs("list", "--within", "396d").code == 0
    assert due.code == 1
    assert {row["name"] for row in due.json if row["due"]} == {"server", "client"}
    assert certs("list", "--within", "soon").code == 2
    assert "days left" in certs("list").out


def test_only_what_is_due_is_renewed_and_for_the_same_hosts(files: InternalCertificates) -> None:
    certs(*MAKE)
    before = read_identity(files.server)

    assert certs("renew", "--within", "396d", "--json").json == {"renewed": []}
    renewed = certs("renew", "--within", "398d", "--json").json

    after = read_identity(files.server)
    assert before
    assert after
    assert renewed == {"renewed": ["server", "client"]}
    assert after.certificate.serial_number != before.certificate.serial_number
    assert after.names() == before.names()
    check_members(TOLD["certs renew"].answers[0], renewed, where="certs renew")


@pytest.mark.usefixtures("files")
def test_an_authority_that_ends_is_replaced_and_not_used() -> None:
    certs(*MAKE)

    outcome = certs("renew", "--within", "3651d")

    assert outcome.code == 1
    assert "replace it first" in outcome.err


def test_without_the_authoritys_key_nothing_is_signed(files: InternalCertificates) -> None:
    certs(*MAKE)
    files.authority.key.unlink()

    assert certs("list").code == 0, "a server holds no such key, and watches all the same"
    assert certs("renew", "--within", "398d").code == 1
    assert certs("replace-authority", "prepare").code == 1


def test_the_authority_is_replaced_in_three_steps(files: InternalCertificates) -> None:
    certs(*MAKE)
    old = files.authority.certificate.read_bytes()
    present = {"authority": True, "server": True, "client": True}

    assert certs("replace-authority", "switch").code == 1
    prepared = names(certs("replace-authority", "prepare", "--json"))
    assert prepared == {**present, "authority-next": False}
    assert certs("replace-authority", "finish").code == 1
    switched = names(certs("replace-authority", "switch", "--json"))
    assert switched == {**present, "authority-previous": False}
    assert certs("replace-authority", "prepare").code == 1
    assert names(certs("replace-authority", "finish", "--json")) == present

    (trusted,) = x509.load_pem_x509_certificates(files.trusted.read_bytes())
    authority, server = read_identity(files.authority), read_identity(files.server)
    assert authority
    assert server
    assert trusted == authority.certificate
    assert server.is_signed_by(authority)
    assert files.authority.certificate.read_bytes() != old


def test_a_switch_that_was_interrupted_is_finished(files: InternalCertificates) -> None:
    certs(*MAKE)
    certs("replace-authority", "prepare")
    old = files.authority.certificate.read_bytes()
    key, following = files.next_authority.key, files.next_authority.certificate
    kept = key.read_bytes(), following.read_bytes()
    certs("replace-authority", "switch")
    key.write_bytes(kept[0])
    following.write_bytes(kept[1])

    assert certs("replace-authority", "switch").code == 0

    assert files.previous_authority.certificate.read_bytes() == old
    assert not key.exists()
    assert not following.exists()


def test_a_folder_without_certificates_is_told(files: InternalCertificates) -> None:
    outcome = certs("list")

    assert outcome.code == 1
    assert str(files.folder) in outcome.err


def test_nothing_outlives_its_authority() -> None:
    authority = issue_authority(NOON)
    late = NOON + timedelta(days=3600)

    names = [x509.DNSName("a.example")]
    leaf = issue(authority, names, ExtendedKeyUsageOID.SERVER_AUTH, late)

    assert leaf.certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc
