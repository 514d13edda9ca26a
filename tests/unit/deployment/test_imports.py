"""What the two processes of a Linux device hold in memory all day, as far as imports decide it."""

import subprocess
import sys

import pytest

from immuni import ble


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        # The App drives no radio, and the daemon serves no pages.
        ("immuni.cli.device_app, immuni.deployment.app", {"bumble"}),
        (
            "immuni.cli.device, immuni.deployment.device",
            {"jinja2", "prometheus_client", "starlette", "uvicorn"},
        ),
    ],
    ids=["app", "daemon"],
)
def test_neither_process_of_a_device_holds_what_only_the_other_needs(
    modules: str, unwanted: set[str]
) -> None:
    program = f"import sys, {modules}; print(*sys.modules)"

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    imported = set(told.stdout.decode().split())
    assert "immuni.ble" in imported
    assert imported & unwanted == set()


def test_what_drives_a_bluetooth_stack_is_there_for_whoever_asks() -> None:
    assert set(ble.__all__) <= set(dir(ble))
    assert [name for name in ble.__all__ if getattr(ble, name, None) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = ble.Nonsense  # type: ignore[attr-defined] # there is none, and that is the point
