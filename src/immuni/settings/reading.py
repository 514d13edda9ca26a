"""Typed settings: declared beside what they steer, read in one place, all faults at once.

A capability declares a frozen dataclass whose fields are made by `setting`; the deployment reads
all of them from one `Source` (environment over TOML file over default) and hands the values down.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from immuni.errors import ImmuniError
from immuni.settings.kinds import Kind

T = TypeVar("T")
S = TypeVar("S")

ENVIRONMENT_PREFIX: Final = "IMMUNI_"
_METADATA: Final = "immuni.setting"


class SettingsError(ImmuniError, ValueError):
    """One or more settings are wrong; nothing was started.

    Attributes:
        faults: One sentence for each, with its name, what is wrong and what is allowed.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep all faults, so that they can be mended in one go."""
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Setting:
    """One declared setting, for those who list them."""

    name: str
    kind: Kind[Any]
    meaning: str
    secret: bool
    default: object


@dataclass(frozen=True, slots=True)
class Source:
    """Where values come from: names in lower case to texts, and the origin of each."""

    values: Mapping[str, str]
    origins: Mapping[str, str]


def setting(kind: Kind[T], *, meaning: str, default: T, secret: bool = False) -> T:
    """Declare a field of a settings dataclass.

    Args:
        kind: How it is read.
        meaning: One sentence for people who run the system.
        default: Its value where nothing is said.
        secret: Never shown, in no listing and no repr.

    Returns:
        A dataclass field, typed as its value.
    """
    spec = {"kind": kind, "meaning": meaning, "secret": secret}
    field: T = dataclasses.field(default=default, metadata={_METADATA: spec}, repr=not secret)
    return field


def settings_of(cls: type) -> list[Setting]:
    """Return what a settings dataclass declares, in its order."""
    return [
        Setting(field.name, default=field.default, **field.metadata[_METADATA])
        for field in dataclasses.fields(cls)
        if _METADATA in field.metadata
    ]


def read_settings(cls: type[S], source: Source) -> S:
    """Build one settings value from its source.

    Raises:
        SettingsError: At least one value is not allowed; all of them are named.
    """
    faults: list[str] = []
    values: dict[str, object] = {}
    for declared in settings_of(cls):
        text = source.values.get(declared.name)
        if text is None:
            continue
        try:
            values[declared.name] = declared.kind.parse(text)
        except ValueError:
            shown = "the value (kept secret)" if declared.secret else repr(text)
            origin = source.origins[declared.name]
            faults.append(f"{declared.name}: {shown} from {origin} is not {declared.kind.wanted}")
    if faults:
        raise SettingsError(faults)
    return cls(**values)


def read_all(classes: Sequence[type], source: Source) -> dict[type, Any]:
    """Build the values of several settings classes, and refuse names that none of them knows.

    Raises:
        SettingsError: All faults of all classes together.
    """
    known = {declared.name for cls in classes for declared in settings_of(cls)}
    faults = [_unknown(name, source, known) for name in source.values if name not in known]
    built: dict[type, Any] = {}
    for cls in classes:
        try:
            built[cls] = read_settings(cls, source)
        except SettingsError as error:
            faults.extend(error.faults)
    if faults:
        # A name that two capabilities read is still one fault.
        raise SettingsError(list(dict.fromkeys(faults)))
    return built


def gather(environment: Mapping[str, str], file: Path | None) -> Source:
    """Collect values from a TOML file and, above it, the environment.

    Raises:
        SettingsError: The file cannot be read, is not TOML, or holds more than plain values.
    """
    values: dict[str, str] = {}
    origins: dict[str, str] = {}
    for name, value in (_toml(file) if file else {}).items():
        values[name], origins[name] = _text(name, value, file), str(file)
    for variable, text in environment.items():
        if variable.startswith(ENVIRONMENT_PREFIX):
            name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            values[name], origins[name] = text, variable
    return Source(values, origins)


def _toml(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError([f"{file}: {error}"]) from error


def _text(name: str, value: object, file: Path | None) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise SettingsError([f"{name}: {file} holds a {type(value).__name__}, want a plain value"])


def _unknown(name: str, source: Source, known: set[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{name}: no such setting, from {source.origins[name]}{hint}"
