"""Keys in a PKCS#11 token, on SoftHSM. Each test has a token of its own, in its own process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "marked-pin-7351"

SCRIPT = """
import sys, traceback
from dataclasses import replace
from pathlib import Path
from immuni.backend.signing import SigningFailedError, SigningKeyError, public_pem, read_public_key
from immuni.backend.signing.signer import verified
from immuni.backend.signing.token import TokenKey, TokenSigner

folder = Path(sys.argv[1])
key = TokenKey(module=Path(sys.argv[2]), token="immuni", label="export-222-v1",
               pin_file=folder / "pin")

def told(act):
    try:
        return act()
    except (SigningFailedError, SigningKeyError):
        traceback.print_exc(file=sys.stdout)
"""


@pytest.fixture
def token(tmp_path: Path) -> Path:
    """Make a token and the file of its PIN."""
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    (tmp_path / "pin").touch(mode=0o600)
    (tmp_path / "pin").write_text(f"{PIN}\n")
    options = ["--init-token", "--free", "--label", "immuni", "--pin", PIN, "--so-pin", "12345678"]
    ran(["softhsm2-util", *options], tmp_path)
    return tmp_path


def ran(command: list[str], folder: Path) -> str:
    environment = os.environ | {"SOFTHSM2_CONF": str(folder / "softhsm2.conf")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def script(folder: Path, lines: str) -> str:
    """Run lines in a process of their own: a PKCS#11 library reads its settings but once."""
    return ran([sys.executable, "-c", SCRIPT + lines, str(folder), str(MODULE)], folder)


CREATE = """
signer = TokenSigner.create(key, key_id="222", key_version="v1")
"""


def test_a_key_made_in_the_token_signs_what_its_public_half_verifies(token: Path) -> None:
    told = script(
        token,
        CREATE
        + """
for data in (b"", b"data", bytes(1_000_000)):
    verified(signer.sign(data), data, read_public_key(public_pem(signer.public_key)))
print("verified", signer)
""",
    )

    assert told.startswith("verified TokenSigner(key_id='222'")
    assert PIN not in told


def test_a_label_is_used_once(token: Path) -> None:
    assert "exists already" in script(token, CREATE + f"told(lambda: {CREATE.split('=', 1)[1]})")


@pytest.mark.parametrize(
    ("change", "meaning"),
    [
        ('(folder / "pin").write_text("wrong-pin")', "refuses the PIN"),
        ('(folder / "pin").chmod(0o644)', "open to others"),
        ('(folder / "pin").unlink()', "No such file"),
        ('signer = replace(signer, key=replace(key, token="other"))', "no such token"),
        ('signer = replace(signer, key=replace(key, label="other"))', "no such key"),
        ('signer = replace(signer, key=replace(key, module=folder / "none.so"))', "failed"),
    ],
)
def test_what_is_wrong_is_told_without_the_pin(token: Path, change: str, meaning: str) -> None:
    told = script(token, CREATE + change + '\ntold(lambda: signer.sign(b"data"))')

    assert meaning in told
    assert PIN not in told
    assert "wrong-pin" not in told


def test_a_signature_by_another_key_is_not_handed_out(token: Path) -> None:
    told = script(
        token,
        CREATE
        + """
other = TokenSigner.create(replace(key, label="other"), key_id="222", key_version="v2")
told(lambda: replace(signer, key=other.key).sign(b"data"))
""",
    )

    assert "does not verify" in told


def test_a_token_that_was_away_signs_again(token: Path) -> None:
    told = script(
        token,
        CREATE
        + """
(folder / "pin").write_text("wrong-pin")
told(lambda: signer.sign(b"data"))
(folder / "pin").write_text("marked-pin-7351")
signer.sign(b"data")
print("signed again")
""",
    )

    assert told.endswith("signed again\n")


def test_a_wrong_pin_is_tried_once(token: Path) -> None:
    told = script(
        token,
        CREATE
        + """
(folder / "pin").write_text("wrong-pin")
for _ in range(3):
    told(lambda: signer.sign(b"data"))
""",
    )

    assert told.count("refuses the PIN") == 1
    assert told.count("token immuni: it has refused this PIN before") == 2


def test_the_command_moves_a_key_into_the_token(token: Path) -> None:
    immuni = [sys.executable, "-m", "immuni", "keys"]
    options = ["export", "--data-dir", str(token / "data"), "--json"]
    at = {"module": MODULE, "token": "immuni", "pin_file": token / "pin"}
    place = [part for name, value in at.items() for part in ("--at", f"{name}={value}")]

    ran([*immuni, "new", *options], token)
    made = json.loads(ran([*immuni, "rotate", *options, "--kind", "pkcs11", *place], token))
    ran([*immuni, "retire", *options], token)

    assert (made["version"], made["state"]) == ("v2", "joining")
    assert (
        script(
            token,
            """
from immuni.deployment.layout import Layout
from immuni.deployment.signing_keys import keyring_of
(signer,) = keyring_of(Layout(folder / "data")).signers()
verified(signer.sign(b"data"), b"data", signer.public_key)
print(type(signer).__name__)
""",
        )
        == "TokenSigner\n"
    )
