"""What the App's values are called in the user's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from immuni.app.notifications import Notification, NotificationKind
from immuni.app.pages.language import Language
from immuni.app.record import CheckFailure, PastExposure
from immuni.app.sent import Sent, SentKind
from immuni.app.status import ServiceIssue
from immuni.app.system import SystemFault
from immuni.app.transport import ServerUnreachableError
from immuni.app.upload_errors import (
    CheckLockedError,
    CodeExpiredError,
    CodeNotAuthorisedError,
    ServerBusyError,
    ServerRefusedError,
)
from immuni.errors import ImmuniError
from immuni.framework import StoreError
from immuni.web.languages import translatable

_ISSUES: Final[Mapping[ServiceIssue, str]] = {
    ServiceIssue.SWITCHED_OFF: translatable("Exposure notifications are switched off."),
    ServiceIssue.PAUSED: translatable("Exposure notifications are paused."),
    ServiceIssue.PERMISSION_MISSING: translatable(
        "Immuni is not allowed to use exposure notifications."
    ),
    ServiceIssue.BLUETOOTH_OFF: translatable("Bluetooth is off. Please switch it on."),
    ServiceIssue.RADIO_LOST: translatable(
        "Bluetooth does not answer. Switching it off and on again may help."
    ),
    ServiceIssue.STORE_FULL: translatable(
        "The phone cannot store the codes that it receives. Please free some space."
    ),
    ServiceIssue.STORE_DAMAGED: translatable(
        "What the phone has stored is damaged and has to be repaired."
    ),
    ServiceIssue.STORE_FAILED: translatable(
        "The phone cannot store the codes that it receives. Restarting it may help."
    ),
    ServiceIssue.CLOCK_WRONG: translatable(
        "The clock of your phone is wrong. Please let the phone set it by itself."
    ),
    ServiceIssue.NO_RECENT_CHECK: translatable(
        "There was no check for exposures for more than a day. Please connect to the internet."
    ),
    ServiceIssue.DEVICE_UNREACHABLE: translatable(
        "The part of Immuni that exchanges codes is not running. Restarting the device may help."
    ),
    ServiceIssue.SERVICE_ENDED: translatable(
        "The service has ended. Immuni does nothing any more."
    ),
    ServiceIssue.UPDATE_REQUIRED: translatable("This version is too old. Please update Immuni."),
}

_FAILURES: Final[Mapping[CheckFailure, str]] = {
    CheckFailure.UNREACHABLE: translatable("The server was not reached; Immuni will try again"),
    CheckFailure.UNEXPECTED_ANSWER: translatable("The server is busy; Immuni will try again"),
    CheckFailure.CHUNK_NOT_SIGNED: translatable(
        "New keys were not from the health service and were refused; Immuni will try again"
    ),
    CheckFailure.CHUNK_DAMAGED: translatable("New keys arrived damaged; Immuni will try again"),
    CheckFailure.QUOTA: translatable("All checks of today are done; Immuni goes on tomorrow"),
    CheckFailure.FRAMEWORK: translatable("The phone could not compare the keys; see above"),
}


@dataclass(frozen=True, slots=True)
class Message:
    """A headline and what it means."""

    title: str
    text: str


_PROBLEMS: Final[Mapping[type[ImmuniError], Message]] = {
    CodeNotAuthorisedError: Message(
        translatable("The code is not confirmed yet"),
        translatable(
            "Please ask the operator whether the code was entered, and read it again. The check "
            "cannot tell these apart, so compare them: E/4, F/5, H/7, I/8, J/9, X/1."
        ),
    ),
    CheckLockedError: Message(
        translatable("One moment, please"),
        translatable("The last code was not confirmed. Please wait a little before you try again."),
    ),
    CodeExpiredError: Message(
        translatable("Your code has expired"),
        translatable("Nothing was sent. Here is a new one; please read it to the operator."),
    ),
    ServerUnreachableError: Message(
        translatable("The server was not reached"),
        translatable("Nothing is lost. Please check your connection and try again."),
    ),
    ServerBusyError: Message(
        translatable("The server is busy"),
        translatable("Nothing is lost. Please try again in a minute."),
    ),
    StoreError: Message(
        translatable("Your phone could not read or note something"),
        translatable("Nothing is lost. Please free some space, or restart it, and try again."),
    ),
    ServerRefusedError: Message(
        translatable("The server did not accept this"),
        translatable("Nothing was sent. Is the clock of your phone right? Then try again."),
    ),
}

_NOTIFICATIONS: Final[Mapping[NotificationKind, Message]] = {
    NotificationKind.RISK: Message(
        translatable("You may have been exposed"),
        translatable("Open Immuni to see what you can do."),
    ),
    NotificationKind.RISK_REMINDER: Message(
        translatable("There is a warning for you"),
        translatable("Please take a moment to read what you can do."),
    ),
    NotificationKind.SERVICE_NOT_ACTIVE: Message(
        translatable("Immuni is not active"),
        translatable("Open it to see why. It only takes a moment."),
    ),
    NotificationKind.UPDATE_REQUIRED: Message(
        translatable("Please update Immuni"),
        translatable("This version can no longer warn you."),
    ),
    NotificationKind.ONBOARDING_NOT_COMPLETED: Message(
        translatable("Immuni is not set up yet"),
        translatable("A few steps are left. They take two minutes."),
    ),
    NotificationKind.SERVICE_ENDED: Message(
        translatable("Immuni has ended"),
        translatable("Thank you for having taken part. Open it to read what happens now."),
    ),
    NotificationKind.STILL_POSITIVE: Message(
        translatable("Are you well again?"),
        translatable("Once you have recovered, tell Immuni, so that it warns you again."),
    ),
}

_SYSTEM: Final[Mapping[SystemFault, Message]] = {
    SystemFault.IOS_TOO_OLD: Message(
        translatable("Please update iOS"),
        translatable(
            "Immuni needs iOS 13.5 or later. Open Settings, General, Software Update, "
            "then come back."
        ),
    ),
    SystemFault.ANDROID_TOO_OLD: Message(
        translatable("Please update Android"),
        translatable(
            "Immuni needs Android 6 or later. Open Settings, System, System update, then come back."
        ),
    ),
    SystemFault.PLAY_SERVICES_TOO_OLD: Message(
        translatable("Please update Google Play services"),
        translatable(
            "Immuni needs version 20.18.13 or later. Open Google Play, look for "
            "“Google Play services”, update it, then come back."
        ),
    ),
    SystemFault.KERNEL_TOO_OLD: Message(
        translatable("Please update your system"),
        translatable(
            "Immuni needs Linux 3.13 or later. Install the updates of your system and restart it."
        ),
    ),
    SystemFault.NO_ADAPTER: Message(
        translatable("There is no Bluetooth here"),
        translatable(
            "Immuni needs a Bluetooth adapter. Plug one in, or switch it on in the settings of "
            "your computer, then try again."
        ),
    ),
}

_SENT: Final[Mapping[SentKind, Message]] = {
    SentKind.UPLOAD: Message(
        translatable("Your positive result"),
        translatable(
            "The keys of your phone, your province, and day, length and closeness of risky "
            "contacts. You agreed to it."
        ),
    ),
    SentKind.REPORT_WITH_EXPOSURE: Message(
        translatable("A report that Immuni warned you"),
        translatable(
            "Your province, the kind of phone, what is switched on, and the day of the contact. "
            "Nothing in it says who you are."
        ),
    ),
    SentKind.REPORT_WITHOUT_EXPOSURE: Message(
        translatable("A report that Immuni works"),
        translatable(
            "Your province, the kind of phone, and what is switched on. "
            "Nothing in it says who you are."
        ),
    ),
}

KEY_PLACES: Final = (
    translatable("a file that only its owner can read"),
    translatable("the key store of this device"),
    translatable("a place that is not known now"),
)
"""What a `KeyStore` says of itself, so that the catalogues know it."""

_VERY_NEAR_DB: Final = 51
_NEAR_DB: Final = 63
_LONGEST_REPORTED: Final = timedelta(minutes=30)


def issue_text(issue: ServiceIssue, language: Language) -> str:
    """Say why the service is not active, and what helps."""
    return language.text(_ISSUES[issue])


def failure_text(failure: CheckFailure | None, language: Language) -> str | None:
    """Say why the latest check was not completed."""
    return None if failure is None else language.text(_FAILURES[failure])


def problem_message(problem: type[ImmuniError] | None, language: Language) -> Message | None:
    """Say what kept an upload from going on."""
    return None if problem is None else _translated(_PROBLEMS[problem], language)


def notification_message(notification: Notification | None, language: Language) -> Message | None:
    """Say what a notification says, where there is one."""
    return None if notification is None else message_of(notification, language)


def message_of(notification: Notification, language: Language) -> Message:
    """Say what a notification says."""
    return _translated(_NOTIFICATIONS[notification.kind], language)


def system_message(fault: SystemFault, language: Language) -> Message:
    """Say what of the device's system is too old or missing, and what to do."""
    return _translated(_SYSTEM[fault], language)


def sent_message(sent: Sent, language: Language) -> Message:
    """Say what was sent, and what was in it."""
    return _translated(_SENT[sent.kind], language)


def length_text(contact: PastExposure, language: Language) -> str:
    """Say how long a contact was; half an hour stands for anything longer."""
    minutes = contact.duration_seconds // 60
    if timedelta(minutes=minutes) >= _LONGEST_REPORTED:
        return language.text(translatable("30 minutes or longer"))
    return language.counted("about %(num)d minute", "about %(num)d minutes", minutes)


def closeness_text(contact: PastExposure, language: Language) -> str:
    """Say how near a contact was, no finer than radio can tell."""
    if contact.attenuation_db <= _VERY_NEAR_DB:
        return language.text(translatable("very near"))
    if contact.attenuation_db <= _NEAR_DB:
        return language.text(translatable("near"))
    return language.text(translatable("a few metres"))


def _translated(message: Message, language: Language) -> Message:
    return Message(language.text(message.title), language.text(message.text))
