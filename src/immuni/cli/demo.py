"""``immuni demo``: the whole story without hands, told as it happens."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_json
from immuni.clock import SystemClock
from immuni.entropy import SystemEntropy
from immuni.errors import ImmuniError
from immuni.settings import SettingsError

if TYPE_CHECKING:
    from immuni.demo import Told

_NEXT = {
    "servers": "Three phones live through three days …",
    "meeting": "A user tests positive …",
    "code": "The operator types the code …",
    "authorised": "Phone A uploads …",
    "upload": "The keys are published …",
    "published": "The other phones check …",
    "reported": "Others report, and the day is closed …",
}
"""What is going on after each step."""


def demo(
    *,
    data_dir: Annotated[
        Path,
        typer.Option(
            "--data-dir",
            envvar="IMMUNI_DATA_DIR",
            help="Where the story's folder is made, and removed.",
        ),
    ] = Path("var"),
    json: JsonOption = False,
) -> None:
    """Play the whole story on real servers and virtual phones, and check how it ends.

    Exit code 0 only if phone B was warned with the right day and score, phone C was not, and
    B's database holds no more than it should; else 1. Changes nothing of a running system.
    """
    entropy = SystemEntropy()
    folder = data_dir.resolve() / f"demo-{entropy.token(4).hex()}"
    steps: list[Told] = []
    try:
        if json:
            asyncio.run(_play(folder, steps.append))
            print_json({"ok": True, "steps": [_as_json(told) for told in steps]})
        else:
            _tell(folder)
    except ImmuniError as error:
        if not json or isinstance(error, SettingsError):
            raise
        print_json({"ok": False, "reason": str(error), "steps": [_as_json(each) for each in steps]})
        raise typer.Exit(ANSWER_IS_NO) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _play(folder: Path, hear: Callable[["Told"], None]) -> None:
    # The story imports every part of the system; other commands start faster without it.
    from immuni.demo import StoryFailedError, tell_story  # noqa: PLC0415
    from immuni.deployment.stopping import on_stop_signals  # noqa: PLC0415

    task = asyncio.current_task()
    on_stop_signals(lambda: task and task.cancel())
    story = tell_story(folder, clock=SystemClock(), entropy=SystemEntropy())
    try:
        async with contextlib.aclosing(story):
            async for told in story:
                hear(told)
    except asyncio.CancelledError as error:
        # Servers and folder go as they do at the end: a signal leaves nothing behind either.
        raise StoryFailedError("it was stopped before its end") from error


def _tell(folder: Path) -> None:
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
    )
    with progress:
        task = progress.add_task("Starting the servers …", total=None)

        def hear(told: "Told") -> None:
            progress.console.print(f"[green]✓[/green] {told.text}")
            progress.update(task, description=_NEXT.get(told.step, "…"))

        asyncio.run(_play(folder, hear))
        progress.update(task, description="The story came out right.")


def _as_json(told: "Told") -> dict[str, object]:
    return {"step": told.step, "text": told.text, **told.facts}
