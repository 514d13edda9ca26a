"""``immuni device``: exposure notifications of this Linux device."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_json
from immuni.clock import SystemClock

if TYPE_CHECKING:
    from immuni.device import DeviceClient
    from immuni.framework import Status

app = typer.Typer(no_args_is_help=True, help="Exposure notifications of this Linux device.")

_DEFAULT_FOLDER: Final = Path("var/device")
_MOST_HOURS: Final = 24 * 7

DataDirOption = Annotated[
    Path,
    typer.Option(
        "--data-dir", envvar="IMMUNI_DEVICE_DIR", help="The folder in which the device keeps all."
    ),
]


@app.command(epilog="Example: immuni device run --adapter hci-socket:0 --verification-key key.pem")
def run(
    *,
    verification_key: Annotated[
        list[Path],
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Public key, PEM, of the health authority; several while keys are changed.",
        ),
    ],
    adapter: Annotated[
        str, typer.Option(help="Bumble's name of the Bluetooth adapter: usb:0, hci-socket:0, …")
    ] = "usb:0",
    data_dir: DataDirOption = _DEFAULT_FOLDER,
) -> None:
    """Keep this device's exposure notifications alive until SIGTERM or Ctrl-C.

    The App and the other commands of this group reach it through a socket
    in the data folder. Prints nothing; the service manager is told.
    """
    from immuni.deployment.device import run_device  # noqa: PLC0415 - imports a Bluetooth stack

    asyncio.run(run_device(data_dir, adapter=adapter, verification_keys=verification_key))


@app.command(epilog="Example: immuni device status --json")
def status(*, data_dir: DataDirOption = _DEFAULT_FOLDER, json: JsonOption = False) -> None:
    """Tell whether exposure notifications work. Exit code 1 if they do not.

    JSON: active, reasons (a list), key_storage, paused_until (null where
    there is no pause, or one without end) and radio: elapsed_seconds since
    the daemon's start, and of each hour scans, scan_seconds (the receiver
    is on), on_air_seconds (the transmitter is on) and cpu_seconds. The
    other commands of this group answer the same.
    """
    found = _after(None, data_dir, json=json)
    if not found.active:
        raise typer.Exit(ANSWER_IS_NO)


@app.command(epilog="Example: immuni device start")
def start(*, data_dir: DataDirOption = _DEFAULT_FOLDER, json: JsonOption = False) -> None:
    """Allow and start exposure notifications."""

    async def begin(device: "DeviceClient") -> None:
        await device.authorise()
        await device.start()

    _after(begin, data_dir, json=json)


@app.command(epilog="Example: immuni device stop")
def stop(*, data_dir: DataDirOption = _DEFAULT_FOLDER, json: JsonOption = False) -> None:
    """Stop exposure notifications; the daemon goes on, and what is stored stays for its time."""
    _after(lambda device: device.stop(), data_dir, json=json)


@app.command(epilog="Example: immuni device pause --hours 4")
def pause(
    *,
    hours: Annotated[
        float | None,
        typer.Option(min=0.01, max=_MOST_HOURS, help="For how long; until `resume` by default."),
    ] = None,
    data_dir: DataDirOption = _DEFAULT_FOLDER,
    json: JsonOption = False,
) -> None:
    """Fall silent for a while."""
    until = None if hours is None else SystemClock().now() + timedelta(hours=hours)
    _after(lambda device: device.pause(until=until), data_dir, json=json)


@app.command(epilog="Example: immuni device resume")
def resume(*, data_dir: DataDirOption = _DEFAULT_FOLDER, json: JsonOption = False) -> None:
    """End a pause."""
    _after(lambda device: device.resume(), data_dir, json=json)


@app.command(epilog="Example: immuni device delete --yes")
def delete(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data_dir: DataDirOption = _DEFAULT_FOLDER,
    json: JsonOption = False,
) -> None:
    """Delete all that this device holds: its keys, what it heard, what came of it."""
    if not yes:
        typer.confirm("Delete everything? It cannot be undone.", abort=True, err=True)
    _after(lambda device: device.delete_everything(), data_dir, json=json)


@app.command(epilog="Example: immuni device repair")
def repair(*, data_dir: DataDirOption = _DEFAULT_FOLDER, json: JsonOption = False) -> None:
    """Save what can still be read of a damaged database; the daemon must not run.

    The damaged file is set aside; it goes by itself after 14 days. What is
    read has proven to be as it was written.

    JSON: kept (rows by kind), damaged (the kinds of which something is
    lost) and set_aside (the damaged file).
    """
    from immuni.device import repair_store  # noqa: PLC0415 - as above

    saved = repair_store(data_dir, now=SystemClock().now())
    if json:
        print_json(
            {
                "kept": dict(saved.kept),
                "damaged": sorted(saved.damaged),
                "set_aside": str(saved.set_aside),
            }
        )
        return
    kept = ", ".join(f"{count} {kind}" for kind, count in saved.kept.items() if count)
    console.print(f"Kept: {kept or 'nothing'}.")
    console.print(f"Something is lost of: {', '.join(sorted(saved.damaged)) or 'nothing'}.")
    console.print(f"The damaged database lies at {saved.set_aside}.")


def _after(
    ask: "Callable[[DeviceClient], Awaitable[None]] | None", data_dir: Path, *, json: bool
) -> "Status":
    """Ask the daemon for something, and show how it is then."""
    from immuni.device import SOCKET_NAME, DeviceClient  # noqa: PLC0415 - as above

    async def answer() -> "Status":
        device = DeviceClient(data_dir / SOCKET_NAME)
        if ask is not None:
            await ask(device)
        return await device.status()

    found = asyncio.run(answer())
    if json:
        print_json(_as_json(found))
    else:
        _show(found)
    return found


def _show(found: "Status") -> None:
    from immuni.device import in_words  # noqa: PLC0415 - as above

    console.print(f"Exposure notifications: {in_words(found)}.")
    console.print(f"The database's key is kept in {found.key_storage}.")
    use = found.radio_use
    console.print(
        f"In an hour: {use.scans_per_hour:.0f} scans, the receiver is on for "
        f"{use.scan_seconds_per_hour:.0f} s, the transmitter for "
        f"{use.on_air_seconds_per_hour:.1f} s, {use.cpu_seconds_per_hour:.1f} s of CPU."
    )


def _as_json(found: "Status") -> dict[str, object]:
    use = found.radio_use
    return {
        "active": found.active,
        "reasons": sorted(reason.value for reason in found.reasons),
        "key_storage": found.key_storage,
        "paused_until": found.paused_until.isoformat() if found.paused_until else None,
        "radio": {
            "elapsed_seconds": use.elapsed.total_seconds(),
            "scans": use.scans_per_hour,
            "scan_seconds": use.scan_seconds_per_hour,
            "on_air_seconds": use.on_air_seconds_per_hour,
            "cpu_seconds": use.cpu_seconds_per_hour,
        },
    }
