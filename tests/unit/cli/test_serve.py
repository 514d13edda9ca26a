"""``immuni serve``, as far as it does not come up."""

from pathlib import Path

import pytest

from immuni.deployment.roles import Role
from immuni.deployment.wiring import NEEDED
from tests.unit.cli.command_line import immuni


@pytest.mark.parametrize("role", [role for role in Role if NEEDED[role]])
def test_a_role_without_its_settings_names_all_that_are_missing(role: Role, tmp_path: Path) -> None:
    file = tmp_path / "empty.toml"
    file.write_text("")

    outcome = immuni("serve", role, "--config", file)

    assert (outcome.code, outcome.out) == (78, "")
    assert [line.split()[1] for line in outcome.err.splitlines()[1:]] == [
        f"{name}:" for name in NEEDED[role]
    ]


def test_every_role_says_what_it_needs() -> None:
    assert set(NEEDED) == set(Role)


def test_wrong_settings_end_a_role_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMMUNI_MAX_BODY_SIZE", "1")
    monkeypatch.setenv("IMMUNI_BASE_PORT", "0")

    outcome = immuni("serve", "get")

    assert (outcome.code, outcome.out) == (78, "")
    assert "max_body_size: '1'" in outcome.err
    assert "base_port: '0'" in outcome.err
