"""``immuni certs``: the internal authority, and the certificates of OTP Service and portal."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_json
from immuni.clock import SystemClock
from immuni.deployment.certificate_care import (
    CertificateState,
    ReplacementStep,
    certificate_states,
    make_certificates,
    renew_certificates,
    replace_authority,
)
from immuni.deployment.certificates import InternalCertificates
from immuni.deployment.layout import Layout
from immuni.settings import parse_duration

app = typer.Typer(no_args_is_help=True, help="Look after the certificates of the OTP Service.")


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter("want a duration like 30d or 12h") from error


DataDir = Annotated[
    Path,
    typer.Option("--data-dir", envvar="IMMUNI_DATA_DIR", help="The data folder."),
]
WithinOption = Annotated[
    str, typer.Option("--within", metavar="DURATION", help="What ends earlier than this is due.")
]


@app.callback()
def group() -> None:
    """Look after the internal authority, and the certificates of OTP Service and portal."""


@app.command(epilog="Example: immuni certs make --otp-host otp.internal.example --data-dir ./var")
def make(
    *,
    otp_host: Annotated[
        list[str],
        typer.Option(
            "--otp-host",
            metavar="HOST",
            help="A name or address under which the portal reaches the OTP Service; repeatable.",
        ),
    ],
    portal_host: Annotated[
        list[str] | None,
        typer.Option(
            "--portal-host",
            metavar="HOST",
            help="What the portal's certificate is for; repeatable.",
        ),
    ] = None,
    data_dir: DataDir = Path("var"),
    json: JsonOption = False,
) -> None:
    """Make an authority and the certificates of OTP Service and portal, where there are none.

    Exit code 1 if there are some already, or a name is none.
    """
    files = _files(data_dir)
    now = SystemClock().now()
    make_certificates(
        files, otp_hosts=otp_host, portal_hosts=portal_host or ["portal.localhost"], now=now
    )
    _show(certificate_states(files), now, timedelta(0), json=json)


@app.command(name="list", epilog="Example: immuni certs list --within 30d --json")
def list_certificates(
    *, within: WithinOption = "30d", data_dir: DataDir = Path("var"), json: JsonOption = False
) -> None:
    """Show whom each certificate is for and when it ends. Exit code 1 if one is due."""
    now, soon = SystemClock().now(), _duration(within)
    states = certificate_states(_files(data_dir))
    _show(states, now, soon, json=json)
    if any(_is_due(each, now, soon) for each in states):
        raise typer.Exit(ANSWER_IS_NO)


@app.command(epilog="Example: immuni certs renew --within 60d")
def renew(
    *, within: WithinOption = "180d", data_dir: DataDir = Path("var"), json: JsonOption = False
) -> None:
    """Sign anew, for the same names, what is due; running processes take it over by themselves.

    Exit code 1 if the authority's key is not here, or the authority itself is due.
    """
    files = _files(data_dir)
    renewed = renew_certificates(files, within=_duration(within), now=SystemClock().now())
    if json:
        print_json({"renewed": renewed})
    else:
        console.print(f"Renewed: {', '.join(renewed)}." if renewed else "Nothing is due.")


@app.command(name="replace-authority", epilog="Example: immuni certs replace-authority prepare")
def replace_authority_command(
    step: Annotated[ReplacementStep, typer.Argument(help="The step to take.", metavar="STEP")],
    *,
    data_dir: DataDir = Path("var"),
    json: JsonOption = False,
) -> None:
    """Replace the authority in three steps, without a connection lost.

    prepare makes the next one, trusted beside the present one; switch signs both certificates
    anew; finish trusts the old one no longer. Copy the files to every machine after each step.
    Exit code 1 if the step before was not taken.
    """
    files, now = _files(data_dir), SystemClock().now()
    replace_authority(files, step, now=now)
    _show(certificate_states(files), now, timedelta(0), json=json)


def _files(data_dir: Path) -> InternalCertificates:
    return InternalCertificates(Layout(data_dir.resolve()).certificates)


def _is_due(state: CertificateState, now: datetime, within: timedelta) -> bool:
    return state.in_use and state.ends_at <= now + within


def _show(
    states: Sequence[CertificateState], now: datetime, within: timedelta, *, json: bool
) -> None:
    if json:
        print_json(
            [
                {
                    "name": each.name,
                    "hosts": list(each.hosts),
                    "ends_at": each.ends_at.isoformat(),
                    "seconds_left": int((each.ends_at - now).total_seconds()),
                    "in_use": each.in_use,
                    "due": _is_due(each, now, within),
                }
                for each in states
            ]
        )
        return
    table = Table("certificate", "for", "ends (UTC)", "days left", "")
    for each in states:
        days = str((each.ends_at - now).days)
        note = "due" if _is_due(each, now, within) else ("" if each.in_use else "trusted only")
        hosts = ", ".join(each.hosts) or "—"
        table.add_row(each.name, hosts, f"{each.ends_at:%Y-%m-%d %H:%M}", days, note)
    console.print(table)
