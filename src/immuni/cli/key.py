"""``immuni key``: what a Temporary Exposure Key becomes on the air."""

from typing import Annotated, Final

import typer
from rich.table import Table

from immuni.cli.console import JsonOption, console, print_json
from immuni.crypto import (
    AEM,
    BluetoothMetadata,
    InvalidMetadataError,
    derive_aemk,
    derive_rpik,
    encrypt_metadata,
    generate_rpis,
)
from immuni.keys import (
    TEK_ROLLING_PERIOD,
    ENIntervalNumber,
    InvalidKeyError,
    TemporaryExposureKey,
)

app = typer.Typer(no_args_is_help=True, help="Derive what a key becomes on the air.")

_EXAMPLE: Final = (
    "Example: immuni key derive 75c734c6dd1a782de7a965da5eb93125 --start 2642976 "
    "--metadata 40080000 --json"
)


@app.callback()
def group() -> None:
    """Derive what a Temporary Exposure Key becomes on the air."""


@app.command(
    epilog=f"{_EXAMPLE}\n\n"
    "JSON: rolling_start_number, rolling_period, rpik, aemk, rpis (a list, one for each interval), "
    "aems (likewise; empty without --metadata). All bytes are hexadecimal."
)
def derive(
    tek: Annotated[str, typer.Argument(help="The key: 16 bytes, hexadecimal.")],
    *,
    start: Annotated[
        int, typer.Option(help="ENIntervalNumber of the first interval: Unix seconds / 600.")
    ],
    period: Annotated[int, typer.Option(help="Number of intervals, 1..144.")] = TEK_ROLLING_PERIOD,
    metadata: Annotated[
        str | None, typer.Option(help="Metadata to encrypt: 4 bytes, hexadecimal, as 40080000.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Derive RPIK, AEMK, the identifiers of each interval and their encrypted metadata.

    A real key does not belong on a command line, where other users of the machine can see it.
    """
    key = _parse_key(tek, start, period)
    rpis = generate_rpis(derive_rpik(key), key.rolling_start_number, key.rolling_period)
    aems: list[AEM] = []
    if metadata is not None:
        plain, aemk = _parse_metadata(metadata), derive_aemk(key)
        aems = [encrypt_metadata(aemk, rpi, plain) for rpi in rpis]
    derived = {
        "rolling_start_number": key.rolling_start_number,
        "rolling_period": key.rolling_period,
        "rpik": derive_rpik(key).hex(),
        "aemk": derive_aemk(key).hex(),
        "rpis": [rpi.hex() for rpi in rpis],
        "aems": [aem.hex() for aem in aems],
    }
    if json:
        print_json(derived)
        return
    console.print(f"RPIK {derived['rpik']}\nAEMK {derived['aemk']}")
    table = Table("interval", "RPI", "AEM")
    for place, rpi in enumerate(rpis):
        interval = key.rolling_start_number + place
        table.add_row(str(interval), rpi.hex(), aems[place].hex() if aems else "")
    console.print(table)


def _parse_key(tek: str, start: int, period: int) -> TemporaryExposureKey:
    try:
        return TemporaryExposureKey(_bytes(tek), ENIntervalNumber(start), period)
    except InvalidKeyError as error:
        raise typer.BadParameter(str(error)) from error


def _parse_metadata(text: str) -> BluetoothMetadata:
    data = _bytes(text)
    try:
        metadata = BluetoothMetadata.decode(data)
    except InvalidMetadataError as error:
        raise typer.BadParameter(str(error)) from error
    if metadata.encode() != data:
        raise typer.BadParameter("the last two bytes of metadata are reserved: they must be zero")
    return metadata


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        # The text may be a key, so the message does not repeat it.
        raise typer.BadParameter("want bytes in hexadecimal, two digits each") from error
