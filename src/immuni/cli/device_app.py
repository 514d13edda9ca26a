"""``immuni app``: the App of this Linux device."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Final

import typer

from immuni.cli.console import ConfigOption, JsonOption, console, print_json

app = typer.Typer(no_args_is_help=True, help="The App of this Linux device.")

_DEFAULT_FOLDER: Final = Path("var/app")
_DEFAULT_DEVICE: Final = Path("var/device")

DataDirOption = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="IMMUNI_APP_DIR", help="The folder in which the App keeps all."
    ),
]


@app.command(epilog="Example: immuni app run --config app.toml --device-dir var/device")
def run(
    *,
    config: ConfigOption = None,
    device_dir: Annotated[
        Path,
        typer.Option(
            "--device-dir",
            envvar="IMMUNI_DEVICE_DIR",
            help="The data folder of `immuni device run`.",
        ),
    ] = _DEFAULT_DEVICE,
    data_dir: DataDirOption = _DEFAULT_FOLDER,
) -> None:
    """Serve the App's pages on loopback, and check for exposures every few hours.

    Prints the link that opens the pages, and goes on until SIGTERM or Ctrl-C. The link is secret:
    whoever has it can see what the App knows, and nobody else can. Notifications appear on the
    desktop of whoever runs it.
    """
    # The App imports much; other commands start faster without it.
    import uvloop  # noqa: PLC0415

    from immuni.deployment.app import run_app  # noqa: PLC0415 - as above
    from immuni.deployment.app_settings import read_app_settings  # noqa: PLC0415 - as above

    uvloop.run(
        run_app(
            data_dir,
            device=device_dir,
            settings=read_app_settings(os.environ, config),
            environment=os.environ,
            announce=_print_link,
        )
    )


@app.command("open", epilog="Example: immuni app open")
def open_pages(
    *,
    show: Annotated[
        bool, typer.Option("--print", help="Print the link in place of opening it.")
    ] = False,
    data_dir: DataDirOption = _DEFAULT_FOLDER,
    json: JsonOption = False,
) -> None:
    """Open the running App in the user's browser. Exit code 1 if it does not run.

    JSON: link, in place of opening it.
    """
    from immuni.app.desktop import open_in_browser  # noqa: PLC0415 - as above
    from immuni.deployment.app_folder import AppFolder  # noqa: PLC0415 - as above

    link = AppFolder(data_dir).link()
    if json:
        print_json({"link": link})
    elif show:
        _print_link(link)
    else:
        asyncio.run(open_in_browser(data_dir, link))


def _print_link(link: str) -> None:
    console.print(link, markup=False, soft_wrap=True)
