import stat
from pathlib import Path

import pytest

from immuni.deployment.installation_secret import kept_secret, read_secret, renewed_secret
from immuni.entropy import SystemEntropy

ENTROPY = SystemEntropy()


def test_a_secret_is_made_once_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "app.secret"

    first = kept_secret(path, ENTROPY)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert kept_secret(path, ENTROPY) == read_secret(path) == first


def test_a_renewed_secret_is_another_one(tmp_path: Path) -> None:
    first = kept_secret(tmp_path / "app.secret", ENTROPY)

    renewed = renewed_secret(tmp_path / "app.secret", ENTROPY)

    assert renewed != first
    assert read_secret(tmp_path / "app.secret") == renewed


def test_a_secret_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "app.secret"
    seen = kept_secret(path, ENTROPY)
    path.chmod(0o640)

    assert read_secret(path) is None
    assert kept_secret(path, ENTROPY) != seen


@pytest.mark.parametrize("content", [b"", b"\xff" * 43, b"something else"])
def test_a_secret_that_was_damaged_is_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "app.secret"
    kept_secret(path, ENTROPY)
    path.write_bytes(content)

    assert read_secret(path) is None
    assert kept_secret(path, ENTROPY) == read_secret(path)
