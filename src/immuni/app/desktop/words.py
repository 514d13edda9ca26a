"""What a notification of the desktop says, in the user's language."""

from collections.abc import Mapping
from dataclasses import dataclass

from immuni.app.desktop.notifier import Words
from immuni.app.notifications import Notification
from immuni.app.pages.language import LANGUAGES, language_of
from immuni.app.pages.words import message_of
from immuni.app.phone import Phone
from immuni.web.languages import DEFAULT_LANGUAGE, translatable


@dataclass(frozen=True, slots=True)
class NotificationWords:
    """Says notifications in the language that the user chose, or else in that of the session.

    Attributes:
        phone: Knows what the user chose.
        system_language: The code of the session's language.
    """

    phone: Phone
    system_language: str

    def __call__(self, notification: Notification) -> Words:
        """Return the words of a notification."""
        language = language_of(self.phone.record.language or self.system_language)
        message = message_of(notification, language)
        return Words(message.title, message.text, language.text(translatable("Open Immuni")))


def language_of_the_system(environment: Mapping[str, str]) -> str:
    """Return the code of the language in which the user's session speaks, where it is one of ours.

    Source:
        POSIX, "Environment Variables": the first of three that is set decides.
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    locale = next((environment[name] for name in names if environment.get(name)), "")
    code = locale.partition("_")[0].partition(".")[0].lower()
    return code if code in LANGUAGES else DEFAULT_LANGUAGE
