"""The generated code belongs to the ``.proto`` file beside it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import immuni.export

SOURCE = Path(immuni.export.__file__).parents[2]
FOLDER = Path("immuni", "export", "proto")


@pytest.mark.parametrize("name", ["export_pb2.py", "export_pb2.pyi"])
def test_the_generated_code_is_up_to_date(name: str, tmp_path: Path) -> None:
    programs = Path(sys.executable).parent

    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{SOURCE}",
            f"--python_out={tmp_path}",
            f"--mypy_out=quiet:{tmp_path}",
            str(SOURCE / FOLDER / "export.proto"),
        ],
        check=True,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
    )

    assert (tmp_path / FOLDER / name).read_text() == (SOURCE / FOLDER / name).read_text()
