"""``immuni portal``: the first administrator, and the way out when nobody can sign in."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from immuni.cli.console import ConfigOption, JsonOption, console, print_json
from immuni.cli.jobs import DataDir

if TYPE_CHECKING:
    from immuni.portal.accounts.roles import Role

app = typer.Typer(no_args_is_help=True, help="Look after the portal's people from outside.")

_ROLES = "operator, supervisor, administrator or auditor"


def _role(text: str) -> "Role":
    from immuni.portal.accounts.roles import Role  # noqa: PLC0415 - as below

    try:
        return Role(text)
    except ValueError:
        raise typer.BadParameter(f"want {_ROLES}") from None


@app.command(
    epilog="Example: immuni portal invite --role administrator --organisation 'Regione Lazio'"
)
def invite(
    *,
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help=f"{_ROLES.capitalize()}.")],
    organisation: Annotated[
        str,
        typer.Option(
            "--organisation", metavar="NAME", help="Hospital or region; made where it is new."
        ),
    ],
    user: Annotated[
        str,
        typer.Option(
            "--user", metavar="NAME", help="The name to sign in with; chosen by them without it."
        ),
    ] = "",
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Print a link that makes one account of the portal, once, within seven days.

    For the first administrator of a new portal, who then invites everybody else there. Whoever
    holds the link can join: hand it over by a way on which you know the person.
    """
    # The deployment imports every part of the system; other commands start faster without it.
    from immuni.deployment import portal_people  # noqa: PLC0415
    from immuni.deployment.wiring.jobs import settings_file_in  # noqa: PLC0415

    link = asyncio.run(
        portal_people.invite(
            config or settings_file_in(data_dir),
            role=_role(role),
            organisation=organisation,
            user=user,
        )
    )
    if json:
        print_json({"link": link})
    else:
        console.print(link, markup=False)


@app.command(epilog="Example: immuni portal deactivate anna.rossi")
def deactivate(
    user: Annotated[str, typer.Argument(help="The name with which the account signs in.")],
    *,
    data_dir: DataDir = Path("var"),
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let an account of the portal do nothing any more, whoever it is; it is signed out at once.

    Administrators do this in the portal; here it works when none of them can, or must not.
    """
    from immuni.deployment import portal_people  # noqa: PLC0415 - as above
    from immuni.deployment.wiring.jobs import settings_file_in  # noqa: PLC0415 - as above

    left = asyncio.run(portal_people.deactivate(config or settings_file_in(data_dir), user=user))
    if json:
        print_json({"deactivated": user, "has_administrator": left})
        return
    console.print(f"{user} can do nothing any more.", markup=False)
    if not left:
        console.print("No administrator is left: immuni portal invite --role administrator")
