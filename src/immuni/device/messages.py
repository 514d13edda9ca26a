"""What the App and the device's daemon say to each other.

The App asks; the daemon may ask back what only a user can answer; then it answers. Each message
is MessagePack in a frame of its own. After `DetectExposures` and `DetectWindows` the TEK Chunks
follow, a frame each.
"""

from datetime import datetime
from enum import Enum
from typing import Annotated, Final, TypeVar

import msgspec

from immuni.device.frames import MalformedFrameError
from immuni.risk import (
    DailySummariesConfiguration,
    DiagnosisKeysDataMapping,
    ExposureConfiguration,
)

MAX_CHUNKS: Final = 1000
"""In one detection: more than a server keeps."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_CHUNKS)]
_Message = TypeVar("_Message")


class _Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask"):
    """Something that the App wants."""


class AskStatus(_Ask, frozen=True, tag="status"):
    """Whether exposure notifications work, and every reason why not."""


class Authorise(_Ask, frozen=True, tag="authorise"):
    """The user allows the App to use exposure notifications."""


class Revoke(_Ask, frozen=True, tag="revoke"):
    """The user no longer allows it."""


class Start(_Ask, frozen=True, tag="start"):
    """Broadcast and listen."""


class Stop(_Ask, frozen=True, tag="stop"):
    """Broadcast and listen no more."""


class Pause(_Ask, frozen=True, tag="pause"):
    """Fall silent for a while; without `until`, until told to resume."""

    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Resume(_Ask, frozen=True, tag="resume"):
    """End a pause."""


class DetectExposures(_Ask, frozen=True, tag="detect_exposures"):
    """Match the chunks that follow, and score by the first model."""

    chunks: _Count
    configuration: ExposureConfiguration


class DetectWindows(_Ask, frozen=True, tag="detect_windows"):
    """Match the chunks that follow, and keep the exposure windows of the second model."""

    chunks: _Count
    mapping: DiagnosisKeysDataMapping


class AskExposureInfo(_Ask, frozen=True, tag="exposure_info"):
    """The exposures of the last detection that found any; the daemon asks back."""


class AskExposureWindows(_Ask, frozen=True, tag="exposure_windows"):
    """The exposure windows of the last 14 days."""


class AskDailySummaries(_Ask, frozen=True, tag="daily_summaries"):
    """The exposure windows, summed up by day."""

    configuration: DailySummariesConfiguration


class AskTekHistory(_Ask, frozen=True, tag="tek_history"):
    """The device's own keys; the daemon asks back."""


class PreAuthorise(_Ask, frozen=True, tag="pre_authorise"):
    """Permission to hand out the keys once, later; the daemon asks back."""


class AskPreAuthorisedKeys(_Ask, frozen=True, tag="pre_authorised_keys"):
    """The device's own keys, with the permission that was given before."""


class TrustClock(_Ask, frozen=True, tag="trust_clock"):
    """Believe the clock although it was turned back."""


class AskStored(_Ask, frozen=True, tag="stored"):
    """How much of each kind the device stores."""


class DeleteEverything(_Ask, frozen=True, tag="delete_everything"):
    """Destroy all that is stored."""


Request = (
    AskStatus
    | AskStored
    | Authorise
    | Revoke
    | Start
    | Stop
    | Pause
    | Resume
    | DetectExposures
    | DetectWindows
    | AskExposureInfo
    | AskExposureWindows
    | AskDailySummaries
    | AskTekHistory
    | PreAuthorise
    | AskPreAuthorisedKeys
    | TrustClock
    | DeleteEverything
)


class _Tell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="tell"):
    """Something that the daemon says."""


class Done(_Tell, frozen=True, tag="done"):
    """It was done.

    Attributes:
        value: What was asked for, in a form of the request's own.
    """

    value: msgspec.Raw = msgspec.Raw(msgspec.msgpack.encode(None))


class AskUser(_Tell, frozen=True, tag="ask_user"):
    """The user has to agree first; `Reply` is awaited."""


class FaultKind(Enum):
    """Why something was not done."""

    MALFORMED = "malformed"
    QUOTA = "quota"
    UNTRUSTED_CLOCK = "untrusted_clock"
    CONSENT_REFUSED = "consent_refused"
    USER_NOT_TOLD = "user_not_told"
    EXPORT_REFUSED = "export_refused"
    STORE_FULL = "store_full"
    STORE_DAMAGED = "store_damaged"
    STORE = "store"
    OTHER = "other"


class Fault(_Tell, frozen=True, tag="fault"):
    """It was not done.

    Attributes:
        kind: Why.
        message: The same in words.
        position: Place of the file that was refused.
        export_error: Name of the rule's error that the file broke.
    """

    kind: FaultKind
    message: str
    position: int | None = None
    export_error: str | None = None


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The user's answer."""

    agreed: bool


Answer = Done | AskUser | Fault


def encode(message: object) -> bytes:
    """Return a message as the content of a frame."""
    return msgspec.msgpack.encode(message)


def decode(content: bytes | msgspec.Raw, kind: type[_Message]) -> _Message:
    """Read the content of a frame.

    Args:
        content: Of one frame.
        kind: What it must be; a union of messages too.

    Raises:
        MalformedFrameError: It is no message of that kind.
    """
    try:
        return msgspec.msgpack.decode(content, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MalformedFrameError(f"not understood: {error}") from error
