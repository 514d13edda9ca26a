"""What those who look after the Configuration Settings say to the service that publishes them.

Source:
    HTTP API, "Settings' authors".
"""

from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta

from immuni.api.limits import MAX_BUILD, MAX_COUNT
from immuni.api.messages import Answer, Request
from immuni.api.settings_signature import Platform

MAX_REASON_LENGTH: Final = 500
_PRINTABLE: Final = r"[^\x00-\x1f\x7f]"
_VISIBLE: Final = r"[^\x00-\x20\x7f]"

Version = Annotated[int, Meta(ge=1, le=MAX_COUNT)]
VersionOrNone = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
"""The number of a published set, 0 where nothing was published yet."""
SettingName = Annotated[str, Meta(pattern=r"^[a-z_]{1,100}$(?!\n)")]
Build = Annotated[int, Meta(ge=1, le=MAX_BUILD)]
Person = Annotated[str, Meta(pattern=rf"^{_VISIBLE}{{1,100}}$(?!\n)")]
"""Somebody who is named in the history, in one word: a user name."""
Reason = Annotated[
    str,
    Meta(
        pattern=rf"^{_VISIBLE}({_PRINTABLE}{{0,{MAX_REASON_LENGTH - 2}}}{_VISIBLE})?$(?!\n)",
    ),
]
"""One line that neither begins nor ends with a space."""


class EntryToPublish(Request, frozen=True, kw_only=True):
    """What a set says of one setting, for one platform, from one build on.

    Attributes:
        value: The setting's value; of no meaning where `withdrawn`.
        withdrawn: From `from_build` on there is no value: phones use their own default.
    """

    platform: Platform
    name: SettingName
    from_build: Build
    value: Any
    withdrawn: bool = False


class PublishedEntry(Answer, frozen=True, kw_only=True):
    """The same, as it was published."""

    platform: Platform
    name: str
    from_build: Build
    value: Any
    withdrawn: bool


class PublishedSettings(Answer, frozen=True, kw_only=True):
    """Body of ``GET /v1/configuration/in-force`` and of a version: a whole set.

    Attributes:
        version: 0 where nothing was published yet.
    """

    version: VersionOrNone
    entries: tuple[PublishedEntry, ...]


class Publication(Answer, frozen=True, kw_only=True):
    """Who put a set in force, when and why.

    Attributes:
        published_at: By the database's clock.
        author: Who wanted it, as they said.
        approver: Who approved it; None where it was published at the command line.
        entry_count: How many values and withdrawals the set holds.
    """

    version: Version
    published_at: datetime
    author: str
    approver: str | None
    reason: str
    entry_count: int


class SettingsHistory(Answer, frozen=True, kw_only=True):
    """Body of ``GET /v1/configuration/versions``: the newest first."""

    publications: tuple[Publication, ...]


class CheckSettings(Request, frozen=True, kw_only=True):
    """Body of ``POST /v1/configuration/check``.

    Attributes:
        entries: A whole set, published or not.
        against: The version that it is compared with; None for the one in force.
    """

    entries: tuple[EntryToPublish, ...]
    against: VersionOrNone | None = None


class SettingsChange(Answer, frozen=True, kw_only=True):
    """What a set says otherwise at one place; one of the two is there at least."""

    before: PublishedEntry | None
    after: PublishedEntry | None


class SettingsCheck(Answer, frozen=True, kw_only=True):
    """What publishing a set would do.

    Attributes:
        against: The version that it was compared with.
        faults: What forbids publishing it, one sentence each. Where there are any, nothing else is
            told.
        changes: What it says otherwise.
        dangers: What it does to phones that must be meant, one sentence each.
    """

    against: VersionOrNone
    faults: tuple[str, ...]
    changes: tuple[SettingsChange, ...]
    dangers: tuple[str, ...]


class PublishSettings(Request, frozen=True, kw_only=True):
    """Body of ``POST /v1/configuration/publish``.

    Attributes:
        entries: The whole set; nothing is taken over from the one before.
        based_on: The version that author and approver had in view.
        author: Who wants it.
        approver: Who else has approved it.
        reason: Why.
        dangers: What it does to phones that both mean, as the check told it.
    """

    entries: tuple[EntryToPublish, ...]
    based_on: VersionOrNone
    author: Person
    approver: Person
    reason: Reason
    dangers: tuple[str, ...] = ()


class SettingsReceipt(Answer, frozen=True, kw_only=True):
    """What a set became when it was published."""

    version: Version
