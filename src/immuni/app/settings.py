"""The settings by which the App lives: the last valid set, or what is compiled in."""

import msgspec

from immuni.api import (
    ConfigurationSettings,
    SettingsRefusedError,
    SettingsStamp,
    read_settings,
    verify_settings,
)
from immuni.app.build import Build
from immuni.app.server import Answer


class SettingsInForce(msgspec.Struct, frozen=True):
    """The settings that count now.

    Attributes:
        values: The settings themselves.
        stamp: What their signature says, None for those that are compiled in.
        refused: Names of single settings that were invalid and keep their default.
    """

    values: ConfigurationSettings = ConfigurationSettings()
    stamp: SettingsStamp | None = None
    refused: tuple[str, ...] = ()


def accept_settings(answer: Answer, *, in_force: SettingsInForce, build: Build) -> SettingsInForce:
    """Return the settings of a server's answer.

    Args:
        answer: The answer, as received.
        in_force: Those that count until now; an answer older than them is refused.
        build: Whose platform, number and pinned keys the signature is checked against.

    Raises:
        SettingsRefusedError: The answer is forged, damaged or stale; `in_force` stays.
    """
    stamp = verify_settings(
        answer.body,
        answer.headers,
        build.settings_keys,
        platform=build.platform,
        build=build.number,
        newest=in_force.stamp,
    )
    read = read_settings(_values(answer.body))
    return SettingsInForce(read.settings, stamp, tuple(fault.name for fault in read.refused))


def _values(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise SettingsRefusedError("signed settings are not a JSON object") from error
