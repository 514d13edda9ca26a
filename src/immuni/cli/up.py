"""``immuni up``: the whole system on this machine; ``immuni serve``: one process of it."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from immuni.cli.console import ConfigOption, JsonOption, console, print_json
from immuni.deployment.roles import Role

if TYPE_CHECKING:
    from immuni.deployment.up import Running


def _require_url(url: str | None) -> str | None:
    # PostgreSQL's own message could repeat the password.
    if url is not None:
        from immuni.deployment.databases import is_database_url  # noqa: PLC0415 - as below

        if not is_database_url(url):
            raise typer.BadParameter("want postgresql://user:password@host/name")
    return url


def up(
    *,
    data_dir: Annotated[
        Path,
        typer.Option(
            "--data-dir", envvar="IMMUNI_DATA_DIR", help="The folder in which everything is kept."
        ),
    ] = Path("var"),
    base_port: Annotated[
        int,
        typer.Option(
            "--base-port",
            envvar="IMMUNI_BASE_PORT",
            min=1024,
            max=65522,
            help="The first of fourteen ports.",
        ),
    ] = 8400,
    external_database: Annotated[
        str | None,
        typer.Option(
            "--external-database",
            metavar="URL",
            callback=_require_url,
            help="Use this PostgreSQL (an administrator's URL) in place of the embedded one.",
        ),
    ] = None,
    without_phones: Annotated[
        bool, typer.Option("--without-phones", help="Start no virtual phones.")
    ] = False,
    nginx: Annotated[
        bool, typer.Option("--nginx", help="Put nginx in front of what phones reach.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Run the whole system until Ctrl-C: database, services, jobs, portal, two virtual phones.

    Prints the addresses and the demonstration accounts when everything answers; with --json one
    line of JSON. Everything listens on loopback; the accounts exist in this mode only.
    """
    # The deployment imports every part of the system; other commands start faster without it.
    from immuni.deployment.up import Running, UpOptions, run_until_stopped  # noqa: PLC0415

    def announce(running: Running) -> None:
        if json:
            print_json(running.as_json())
        else:
            _show(running)

    options = UpOptions(
        data_dir=data_dir,
        base_port=base_port,
        external_database=external_database,
        phones=0 if without_phones else 2,
        nginx=nginx,
    )
    if not json:
        console.print("Starting; the first time takes a little longer …", style="dim")
    asyncio.run(run_until_stopped(options, announce))
    if not json:
        console.print("Stopped.", style="dim")


def serve(
    role: Annotated[Role, typer.Argument(help="What the process does.", metavar="ROLE")],
    *,
    config: ConfigOption = None,
) -> None:
    """Run one role of the system in this process, as its settings say."""
    import uvloop  # noqa: PLC0415 - as above

    from immuni.deployment.serve import serve_role  # noqa: PLC0415 - as above

    uvloop.run(serve_role(role, config))


def _show(running: "Running") -> None:
    addresses = Table("part", "address", title="immuni is running", title_justify="left")
    if running.world is not None:
        console.print(f"Open the world of two phones: {running.world}\n", soft_wrap=True)
    for part, address in running.addresses().items():
        addresses.add_row(part, address)
    console.print(addresses)
    for number, link in enumerate(running.phones):
        # On a line of its own, which a terminal wraps without breaking the link.
        console.print(f"phone {chr(ord('A') + number)}: {link}", soft_wrap=True)
    accounts = Table(
        "user",
        "password",
        "role",
        title="demonstration accounts of the portal",
        title_justify="left",
    )
    for account in running.demo_accounts:
        accounts.add_row(account.user, account.password, account.role)
    console.print(accounts)
    console.print("A second factor is offered to them, not required: this is a demonstration.")
    console.print(f"Everything is kept in {running.data_dir}. Ctrl-C stops the system.")
