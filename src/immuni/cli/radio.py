"""``immuni radio``: the machine's Bluetooth adapters, and what one of them hears."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table

from immuni.cli.console import ANSWER_IS_NO, JsonOption, console, print_error, print_json
from immuni.clock import SystemClock

if TYPE_CHECKING:
    from immuni.ble import Adapter, AdvertisementHeard, RadioError

app = typer.Typer(no_args_is_help=True, help="Try out a Bluetooth adapter.")

_ADVICE: Final[Mapping[str, Sequence[str]]] = {
    "RadioNotPermittedError": (
        "By way of the kernel it takes the right to administer the network: try with sudo.",
        "A service gets it with AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW in its unit.",
        "By way of USB it takes the right to write to the device: a udev rule gives it.",
    ),
    "RadioBusyError": (
        "Most likely bluetoothd holds it: sudo systemctl stop bluetooth",
        "If it still says so: sudo hciconfig hci0 down",
    ),
    "RadioSwitchedOffError": (
        "It is switched off: rfkill unblock bluetooth",
        "If that does not help, look for a switch or a key on the machine.",
    ),
    "RadioLostError": ("Pull it out, put it back, and try again.",),
}
"""By the name of the error: what to do about an adapter that cannot be used."""
_NO_ADAPTER: Final = "no Bluetooth adapter was found"
_NO_ADAPTER_ADVICE: Final = (
    "Plug in a USB dongle that knows Bluetooth 5 (advertising sets).",
    "An adapter at a serial port has to be named: --adapter serial:/dev/ttyACM0",
    "In a container or a virtual machine the adapter has to be handed in.",
)
_OTHER_ADVICE: Final = (
    "Is it there? Without --adapter this command lists what it finds.",
    "The adapter has to know Bluetooth 5 (advertising sets); many older ones do not.",
    "In a container or a virtual machine the adapter has to be handed in.",
)


@app.callback()
def group() -> None:
    """Try out a Bluetooth adapter."""


@app.command(
    epilog="Example: immuni radio check --adapter hci-socket:0\n\n"
    "JSON: ok, adapters (name and description of each), opened (name), advertising_sets, "
    "tx_power_dbm, seconds, broadcasts, phones, strongest_rssi_dbm (null where nothing was heard); "
    "or, where no adapter works, ok, adapters, reason and advice (a list)."
)
def check(
    *,
    adapter: Annotated[
        str | None,
        typer.Option(help="Try this adapter only, by its name; without it, the first that works."),
    ] = None,
    seconds: Annotated[int, typer.Option(min=1, max=600, help="How long to listen.")] = 10,
    json: JsonOption = False,
) -> None:
    """List the Bluetooth adapters, listen with one, and tell what it hears.

    It broadcasts nothing, and shows no identifier and no address. Exit
    code 1 if no adapter works: then it says why, and what to do.
    """
    # Bluetooth takes a while to import; other commands start faster without it.
    from immuni.ble import UnsuitableRadioError, find_adapters, require_adapter_name  # noqa: PLC0415

    if adapter is not None:
        try:
            require_adapter_name(adapter)
        except UnsuitableRadioError as error:
            raise typer.BadParameter(str(error)) from error
    adapters = find_adapters()
    if not json and adapters:
        _print_adapters(adapters)
    names = [adapter] if adapter else [each.name for each in adapters]
    faults: list[RadioError] = []
    found = asyncio.run(_listen(names, timedelta(seconds=seconds), faults))
    if found is None:
        _print_refusal(faults, adapters, json=json)
        raise typer.Exit(ANSWER_IS_NO)
    if json:
        print_json({"ok": True, "adapters": _as_json(adapters), **found.as_json()})
    else:
        found.show()


@dataclass(frozen=True, slots=True)
class _Found:
    """What an adapter is, and what it heard.

    Privacy:
        Counts and one strength only: identifiers would let the reader follow people.
    """

    name: str
    tx_power_dbm: int
    seconds: int
    heard: Sequence["AdvertisementHeard"]

    @property
    def phones(self) -> int:
        """How many phones, if none changed its identifier meanwhile."""
        return len({each.service_data[:16] for each in self.heard})

    @property
    def strongest_rssi_dbm(self) -> int | None:
        """Strength of the strongest broadcast, None where none was heard."""
        return max((each.rssi_dbm for each in self.heard), default=None)

    def as_json(self) -> dict[str, object]:
        return {
            "opened": self.name,
            # Without them it could not have been opened.
            "advertising_sets": True,
            "tx_power_dbm": self.tx_power_dbm,
            "seconds": self.seconds,
            "broadcasts": len(self.heard),
            "phones": self.phones,
            "strongest_rssi_dbm": self.strongest_rssi_dbm,
        }

    def show(self) -> None:
        console.print(
            f"{self.name} works: it knows advertising sets, and transmits with "
            f"{self.tx_power_dbm} dBm.",
            style="green",
        )
        heard = f"exposure notification broadcasts: {len(self.heard)}"
        if self.heard:
            heard += f", phones: {self.phones}, strongest: {self.strongest_rssi_dbm} dBm"
        console.print(f"In {self.seconds} s it heard {heard}.")
        if not self.heard:
            console.print("No phone near sends any, or the antenna is too weak.")


async def _listen(
    names: Sequence[str], duration: timedelta, faults: list["RadioError"]
) -> _Found | None:
    """Listen with the first adapter that works; add to `faults` why the others do not."""
    from immuni.ble import RadioError, open_adapter  # noqa: PLC0415 - as above

    for name in names:
        try:
            radio = await open_adapter(name, SystemClock())
            try:
                heard = await radio.scan(duration)
            finally:
                await radio.close()
        except RadioError as error:
            faults.append(error)
        else:
            return _Found(name, radio.tx_power_dbm, int(duration.total_seconds()), heard)
    return None


def _print_refusal(
    faults: Sequence["RadioError"], adapters: Sequence["Adapter"], *, json: bool
) -> None:
    reason = "; ".join(map(str, faults)) or _NO_ADAPTER
    # Two ways to one adapter often fail for the same reason.
    advice = list(dict.fromkeys(line for fault in faults for line in _advice_on(fault)))
    advice = advice or list(_NO_ADAPTER_ADVICE)
    if json:
        told = {"adapters": _as_json(adapters), "reason": reason, "advice": advice}
        print_json({"ok": False, **told})
        return
    print_error(f"{reason.rstrip('.')}.")
    for line in advice:
        console.print(f"- {line}", markup=False)


def _advice_on(fault: "RadioError") -> Sequence[str]:
    return _ADVICE.get(type(fault).__name__, _OTHER_ADVICE)


def _print_adapters(adapters: Sequence["Adapter"]) -> None:
    table = Table("adapter", "what it is")
    for each in adapters:
        table.add_row(each.name, each.description)
    console.print(table)


def _as_json(adapters: Sequence["Adapter"]) -> list[dict[str, str]]:
    return [{"name": each.name, "description": each.description} for each in adapters]
