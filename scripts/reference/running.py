"""Running the command line in this process, as a machine without settings would."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import typer

from immuni.cli import app
from immuni.settings import ENVIRONMENT_PREFIX


def run(*arguments: str, without: str = "") -> object:
    """Return the JSON that ``immuni`` prints, whatever its exit code.

    Args:
        arguments: The command line.
        without: A member that is left out of the outermost object.
    """
    out = io.StringIO()
    with _without_settings(), redirect_stdout(out), redirect_stderr(io.StringIO()):
        typer.main.get_command(app).main(list(arguments), prog_name="immuni", standalone_mode=False)
    answer = json.loads(out.getvalue())
    if without:
        del answer[without]
    return answer


@contextmanager
def _without_settings() -> Iterator[None]:
    set_here = {
        name: value for name, value in os.environ.items() if name.startswith(ENVIRONMENT_PREFIX)
    }
    for name in set_here:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(set_here)
