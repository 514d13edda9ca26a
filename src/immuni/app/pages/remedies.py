"""What helps against each thing that keeps the service from working, one page each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from immuni.app.status import ServiceIssue
from immuni.web.languages import translatable

_DONE: Final = translatable("I have done this")
_GO_ON: Final = translatable("Continue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A page of the way back to a service that works.

    Attributes:
        title: What is to be done.
        text: Why, and what it brings.
        hints: How, where it is not obvious, or what else may help.
        button: What the user presses.
        picture: Name of the illustration.
        is_done_by_app: Whether pressing it is all that is needed.
        is_seen_at_once: Whether the phone can tell at once that it was done.
    """

    title: str
    text: str
    hints: tuple[str, ...] = ()
    button: str = _DONE
    picture: str = "signals"
    is_done_by_app: bool = False
    is_seen_at_once: bool = True


REMEDIES: Final[Mapping[ServiceIssue, Remedy]] = {
    ServiceIssue.UPDATE_REQUIRED: Remedy(
        title=translatable("Update Immuni"),
        text=translatable("This version is too old to warn you. Your data stays where it is."),
        button=_GO_ON,
        picture="warning",
        is_seen_at_once=False,
    ),
    ServiceIssue.DEVICE_UNREACHABLE: Remedy(
        title=translatable("Restart the exchange of codes"),
        text=translatable(
            "Immuni has two parts. The one that exchanges codes over Bluetooth is not running."
        ),
        hints=(
            translatable("Wait for a minute: it starts again by itself."),
            translatable("If that does not help, restart your device."),
        ),
    ),
    ServiceIssue.PERMISSION_MISSING: Remedy(
        title=translatable("Allow exposure notifications"),
        text=translatable(
            "Without your permission your phone exchanges no codes, and Immuni cannot warn you."
        ),
        button=translatable("Allow"),
        is_done_by_app=True,
    ),
    ServiceIssue.SWITCHED_OFF: Remedy(
        title=translatable("Switch on exposure notifications"),
        text=translatable(
            "While they are off, your phone exchanges no codes, and Immuni cannot warn you."
        ),
        button=translatable("Switch on"),
        is_done_by_app=True,
    ),
    ServiceIssue.PAUSED: Remedy(
        title=translatable("End the pause"),
        text=translatable("During a pause your phone exchanges no codes with others."),
        button=translatable("End the pause"),
        is_done_by_app=True,
    ),
    ServiceIssue.BLUETOOTH_OFF: Remedy(
        title=translatable("Switch on Bluetooth"),
        text=translatable(
            "Your phone exchanges its codes over Bluetooth. It uses little of your battery."
        ),
        hints=(
            translatable("Open the settings of your phone and switch on Bluetooth."),
            translatable("Come back here."),
        ),
        button=translatable("I have switched it on"),
        picture="bluetooth",
    ),
    ServiceIssue.RADIO_LOST: Remedy(
        title=translatable("Restart Bluetooth"),
        text=translatable("Bluetooth is on, but it does not answer."),
        hints=(
            translatable("Switch Bluetooth off, wait for ten seconds, and switch it on again."),
            translatable("If that does not help, restart your phone."),
        ),
        picture="bluetooth",
    ),
    ServiceIssue.STORE_FULL: Remedy(
        title=translatable("Make some room"),
        text=translatable("Your phone is full, so it cannot note the codes that it receives."),
        hints=(
            translatable("Delete pictures, videos or apps that you no longer need."),
            translatable("A few megabytes are enough. Immuni goes on by itself."),
        ),
        button=_GO_ON,
        picture="drawer",
        is_seen_at_once=False,
    ),
    ServiceIssue.STORE_DAMAGED: Remedy(
        title=translatable("Repair what is damaged"),
        text=translatable("What your phone has noted is damaged and cannot be read any more."),
        hints=(
            translatable("Restart your phone: it then saves what can be saved."),
            translatable(
                "If that does not help, delete everything in the settings and start again."
            ),
        ),
        button=_GO_ON,
        picture="drawer",
        is_seen_at_once=False,
    ),
    ServiceIssue.STORE_FAILED: Remedy(
        title=translatable("Restart your phone"),
        text=translatable("Your phone cannot note the codes that it receives."),
        hints=(
            translatable("Restart your phone."),
            translatable("If that does not help, the page “Help” tells you whom to ask."),
        ),
        button=_GO_ON,
        picture="drawer",
        is_seen_at_once=False,
    ),
    ServiceIssue.CLOCK_WRONG: Remedy(
        title=translatable("Set the clock of your phone"),
        text=translatable(
            "If the clock of your phone is wrong, its codes cannot be compared with those of "
            "others."
        ),
        hints=(
            translatable("Open the settings of your phone and switch on automatic date and time."),
            translatable("Immuni notices with its next check, within a few hours."),
        ),
        button=_GO_ON,
        picture="clock",
        is_seen_at_once=False,
    ),
    ServiceIssue.NO_RECENT_CHECK: Remedy(
        title=translatable("Connect to the internet"),
        text=translatable(
            "For more than a day your phone could not fetch the keys of people who tested "
            "positive. What it has noted until now is safe, and it compares everything as soon as "
            "it is connected."
        ),
        hints=(
            translatable("Switch on Wi-Fi or mobile data, and switch off flight mode."),
            translatable("Immuni then checks by itself, within a few hours."),
        ),
        button=_GO_ON,
        picture="clouds",
        is_seen_at_once=False,
    ),
}
