"""``immuni device``: exposure notifications of this Linux device."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from immuni.cli.chunk_files import read_verification_key
from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_json
from immuni.clock import SystemClock

if TYPE_CHECKING:
    from immuni.device import DeviceClient
    from immuni.framework import Status

app = typer.Typer(no_args_is_help=True, help="Exposure notifications of this Linux device.")

_DEFAULT_FOLDER: Final = Path("var/device")
_MOST_HOURS: Final = 24 * 7
_HOUR: Final = timedelta(hours=1)
_KINDS: Final = {
    "tek": "own keys",
    "broadcast": "present broadcast",
    "sighting": "sightings",
    "scan": "sightings",
    "detection": "detections",
    "exposure": "exposures",
    "tag_key": "exposures",
    "revocation": "revoked keys",
    "fact": "switches",
}
"""What the database calls its kinds, and what people do."""
_UNREACHABLE: Final[dict[str, object]] = {
    "active": False,
    "reasons": ["unreachable"],
    "key_storage": None,
    "paused_until": None,
    "radio_error": None,
    "radio": None,
}

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
    in the data folder. Tells on standard error, and the service manager,
    whenever its status changes.
    """
    # A Bluetooth stack takes a while to import; other commands start faster without it.
    from immuni.ble import UnsuitableRadioError, require_adapter_name  # noqa: PLC0415
    from immuni.deployment.device import run_device  # noqa: PLC0415

    try:
        require_adapter_name(adapter)
    except UnsuitableRadioError as error:
        raise typer.BadParameter(str(error)) from error
    keys = [read_verification_key(path) for path in verification_key]
    asyncio.run(run_device(data_dir, adapter=adapter, verification_keys=keys))


@app.command(epilog="Example: immuni device status --json")
def status(*, data_dir: DataDirOption = _DEFAULT_FOLDER, json: JsonOption = False) -> None:
    """Tell whether exposure notifications work. Exit code 1 if they do not.

    JSON: active, reasons (a list; "unreachable" alone where no daemon
    answers), key_storage, paused_until (null where there is no pause, or
    one without end), radio_error (null where it works) and radio: since the
    daemon's start elapsed_seconds, scans, scan_seconds (the receiver was
    on), on_air_seconds (the transmitter was on) and cpu_seconds. The other
    commands of this group answer the same.
    """
    from immuni.device import DeviceUnreachableError  # noqa: PLC0415 - as above

    try:
        found = _after(None, data_dir, json=json)
    except DeviceUnreachableError:
        if not json:
            raise
        print_json(_UNREACHABLE)
        raise typer.Exit(ANSWER_IS_NO) from None
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
def repair(
    *,
    begin_anew: Annotated[
        bool,
        typer.Option(
            "--begin-anew", help="Give up a database that its key does not open: set it aside."
        ),
    ] = False,
    data_dir: DataDirOption = _DEFAULT_FOLDER,
    json: JsonOption = False,
) -> None:
    """Save what can still be read of a damaged database; the daemon must not run.

    The damaged file is set aside; it goes by itself after a day. What is
    read has proven to be as it was written. A database that is whole, and
    one that its key does not open, stays as it is: exit code 1.

    JSON: kept (how much by kind), damaged (the kinds of which something is
    lost) and set_aside (the damaged file).
    """
    from immuni.device import DeviceFolder  # noqa: PLC0415 - as above

    folder, now = DeviceFolder(data_dir), SystemClock().now()
    saved = folder.repair(now=now, give_up_locked=begin_anew)
    kept = {_KINDS[kind]: count for kind, count in saved.kept.items()}
    damaged = sorted({_KINDS[kind] for kind in saved.damaged})
    if json:
        print_json({"kept": kept, "damaged": damaged, "set_aside": str(saved.set_aside)})
        return
    told = ", ".join(f"{count} {kind}" for kind, count in kept.items() if count)
    console.print(f"Kept: {told or 'nothing'}.")
    console.print(f"Something is lost of: {', '.join(damaged) or 'nothing'}.")
    console.print(f"The damaged database lies at {saved.set_aside}.")


def _after(
    ask: "Callable[[DeviceClient], Awaitable[None]] | None", data_dir: Path, *, json: bool
) -> "Status":
    """Ask the daemon for something, and show how it is then."""
    from immuni.device import DeviceClient, DeviceFolder  # noqa: PLC0415 - as above

    async def answer() -> "Status":
        device = DeviceClient(DeviceFolder(data_dir).socket)
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
        f"In {_length(use.elapsed)} it scanned {use.scans} times; the receiver was on for "
        f"{use.scan_time.total_seconds():.0f} s, the transmitter for "
        f"{use.on_air_time.total_seconds():.1f} s; {use.cpu_time.total_seconds():.1f} s of CPU."
    )
    if use.elapsed >= _HOUR:
        console.print(
            f"In an hour that is {use.scans_per_hour:.0f} scans, {use.scan_seconds_per_hour:.0f} s "
            f"and {use.on_air_seconds_per_hour:.1f} s, {use.cpu_seconds_per_hour:.1f} s of CPU."
        )


def _length(elapsed: timedelta) -> str:
    return str(timedelta(seconds=round(elapsed.total_seconds())))


def _as_json(found: "Status") -> dict[str, object]:
    use = found.radio_use
    return {
        "active": found.active,
        "reasons": sorted(reason.value for reason in found.reasons),
        "key_storage": found.key_storage,
        "paused_until": found.paused_until.isoformat() if found.paused_until else None,
        "radio_error": found.radio_error,
        "radio": {
            "elapsed_seconds": use.elapsed.total_seconds(),
            "scans": use.scans,
            "scan_seconds": use.scan_time.total_seconds(),
            "on_air_seconds": use.on_air_time.total_seconds(),
            "cpu_seconds": use.cpu_time.total_seconds(),
        },
    }
