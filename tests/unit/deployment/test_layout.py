"""The data folder."""

import inspect
import stat
from pathlib import Path

import pytest

from immuni.deployment.layout import Layout
from immuni.deployment.roles import Role


def places(layout: Layout) -> dict[str, Path]:
    """Return every place that the layout names."""
    properties = inspect.getmembers(Layout, lambda member: isinstance(member, property))
    return {name: getattr(layout, name) for name, _ in properties}


def test_everything_lies_within_the_data_folder_and_at_a_place_of_its_own(tmp_path: Path) -> None:
    found = places(Layout(tmp_path))
    logs = [Layout(tmp_path).log_of(role) for role in Role]

    assert len(found) > 10
    for place in (*found.values(), *logs):
        assert place.is_relative_to(tmp_path)
    assert len({*found.values(), *logs}) == len(found) + len(logs)


def test_the_folders_are_their_owners_only(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "data")

    layout.prepare()

    for folder in (layout.root, layout.keys, layout.phones, layout.logs, layout.metrics):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_lives_only_while_the_system_runs_is_gone_at_the_next_start(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.prepare()
    (layout.metrics / "counter_1.db").touch()
    (layout.logs / "get.log").write_text("kept")

    layout.prepare()

    assert list(layout.metrics.iterdir()) == []
    assert (layout.logs / "get.log").read_text() == "kept"


@pytest.mark.parametrize("name", ["export", "settings"])
def test_private_and_public_keys_lie_apart_by_name(name: str, tmp_path: Path) -> None:
    found = places(Layout(tmp_path))

    assert found[f"{name}_key"].suffix == ".key"
    assert found[f"{name}_public_key"] == found[f"{name}_key"].with_suffix(".pem")
