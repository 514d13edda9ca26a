"""``immuni keys``: a key's life on the command line, as signers and verifiers see it."""

from pathlib import Path

import pytest

from immuni.backend.signing import create_signing_key
from immuni.deployment.layout import Layout
from immuni.deployment.signing_keys import keyring_of
from immuni.export import VerificationKey
from scripts.reference.answers import TOLD
from scripts.reference.command_line import check_members
from tests.unit.cli.command_line import Outcome, immuni


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("IMMUNI_DATA_DIR", str(tmp_path))
    return Layout(tmp_path)


def keys(*arguments: str | Path) -> Outcome:
    return immuni("keys", *arguments, "--json")


def states() -> list[tuple[str, str]]:
    return [(each["version"], each["state"]) for each in keys("list").json]


@pytest.mark.usefixtures("layout")
def test_a_rotation_takes_one_key_in_and_one_out() -> None:
    assert keys("new", "export").code == 0
    assert keys("rotate", "export").code == 0
    assert states() == [("v1", "active"), ("v2", "joining")]
    assert keys("retire", "export").code == 0
    assert states() == [("v1", "retired"), ("v2", "active")]
    assert keys("rotate", "export").code == 0
    assert states() == [("v1", "retired"), ("v2", "active"), ("v3", "joining")]


@pytest.mark.usefixtures("layout")
def test_a_rotation_can_be_given_up() -> None:
    keys("new", "settings")
    keys("rotate", "settings")

    assert keys("retire", "settings", "--version", "v2").code == 0
    assert states() == [("v1", "active"), ("v2", "retired")]


@pytest.mark.usefixtures("layout")
@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([("rotate", "export")], "no active key"),
        ([("new", "export"), ("new", "export")], "rotate it"),
        ([("new", "export"), ("retire", "export")], "only key"),
        ([("new", "settings"), ("retire", "export")], "no active key for export"),
        ([("new", "export"), ("rotate", "export"), ("rotate", "export")], "under way"),
        (
            [("new", "export"), ("rotate", "export"), ("retire", "export", "--version", "v9")],
            "no key v9",
        ),
        ([("new", "export", "--kind", "https", "--at", "url=http://a", "--at", "ca=b")], "public"),
    ],
)
def test_what_cannot_be_leaves_all_as_it_was(steps: list[tuple[str, ...]], fault: str) -> None:
    for step in steps[:-1]:
        assert keys(*step).code == 0
    before = keys("list").out

    refused = keys(*steps[-1])

    assert refused.code == 1
    assert fault in refused.err
    assert keys("list").out == before


@pytest.mark.usefixtures("layout")
@pytest.mark.parametrize(
    "options",
    [
        ("--at", "module=a"),
        ("--kind", "pkcs11", "--at", "module=a"),
        ("--kind", "https", "--password-file", "a", "--at", "url=https://a", "--at", "ca=b"),
        ("--kind", "paper"),
    ],
)
def test_options_that_do_not_fit_are_wrong_use(options: tuple[str, ...]) -> None:
    assert keys("new", "export", *options).code == 2


def test_processes_notice_a_rotation_without_a_restart(layout: Layout) -> None:
    keys("new", "export")
    keys("new", "settings")
    keyring = keyring_of(layout)
    (first,) = keyring.signers()

    keys("rotate", "export")
    keys("rotate", "settings")
    assert [each.key_version for each in keyring.signers()] == ["v1", "v2"]
    assert keyring.settings_signer().key_id == "settings-1"
    assert keyring.settings_keys().keys() == {"settings-1", "settings-2"}

    keys("retire", "export")
    keys("retire", "settings")
    (last,) = keyring.signers()
    assert last.key_version == "v2"
    assert keyring.settings_signer().key_id == "settings-2"
    # What the old one signed is still recognised as ours; phones need not trust it any more.
    assert VerificationKey("222", "v1", first.public_key) in keyring.verification_keys()
    assert keyring.pinned_keys() == [VerificationKey("222", "v2", last.public_key)]


def test_a_folder_of_an_earlier_release_keeps_its_key(layout: Layout) -> None:
    layout.keys.mkdir()
    create_signing_key(layout.export_key)
    content = layout.export_key.read_bytes()

    assert states() == [("v1", "active")]
    assert keys("new", "export").code == 1
    assert layout.export_key.read_bytes() == content


def test_an_encrypted_key_wants_its_password(layout: Layout, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("marked-password\n")

    told = keys("new", "export", "--password-file", password)

    assert told.code == 0
    assert b"ENCRYPTED" in layout.export_key.read_bytes()
    keyring_of(layout).signers()[0].sign(b"data")
    assert "marked-password" not in told.out + layout.key_inventory.read_text()
    password.write_text("another\n")
    with pytest.raises(ValueError, match="password"):
        keyring_of(layout).signers()


def test_a_private_key_that_is_not_the_pinned_one_signs_nothing(layout: Layout) -> None:
    keys("new", "export")
    layout.export_key.unlink()
    create_signing_key(layout.export_key)

    with pytest.raises(ValueError, match="not the key of"):
        keyring_of(layout).signers()


@pytest.mark.parametrize(
    "text", ["", "format = 2", "format = 1\n[[key]]\n", "format = ", 'format = 1\nkey = "a"']
)
def test_a_damaged_inventory_is_told(layout: Layout, text: str) -> None:
    keys("new", "export")
    layout.key_inventory.write_text(text)

    assert keys("list").code == 1


@pytest.mark.usefixtures("layout")
def test_what_is_told_is_described() -> None:
    for command in ("new", "rotate", "public", "list"):
        (answer,) = TOLD[f"keys {command}"].answers
        argument = () if command == "list" else ("export",)
        check_members(answer, keys(command, *argument).json, where=f"keys {command}")


@pytest.mark.usefixtures("layout")
def test_people_get_a_key_that_tools_read() -> None:
    immuni("keys", "new", "export")

    pem = immuni("keys", "public", "export").out

    VerificationKey.from_pem(pem.encode())
    assert "v1" in immuni("keys", "list").out


def test_a_service_that_does_not_sign_is_not_taken_in(layout: Layout, tmp_path: Path) -> None:
    keys("new", "export")
    (tmp_path / "bearer").touch(mode=0o600)
    public, before = layout.export_public_key, sorted(layout.keys.iterdir())
    at = {"url": "https://127.0.0.1:1/sign", "ca": public, "bearer_file": tmp_path / "bearer"}
    place = [part for name, value in at.items() for part in ("--at", f"{name}={value}")]

    refused = keys("rotate", "export", "--kind", "https", "--public-key", public, *place)

    assert refused.code == 1
    assert states() == [("v1", "active")]
    assert sorted(layout.keys.iterdir()) == before
