"""Risk configurations in JSON files."""

import json
from pathlib import Path
from typing import Final

from immuni.cli.chunk_files import read_file
from immuni.errors import ImmuniError
from immuni.risk import ExposureConfiguration

_MAX_BYTES: Final = 1024 * 1024
_SETTING: Final = "exposure_configuration"
_SECOND_MODEL: Final = "infectiousness_weights"


class MalformedConfigurationFileError(ImmuniError, ValueError):
    """A file holds no JSON object; nothing was read from it."""


def read_exposure_configuration(path: Path) -> ExposureConfiguration:
    """Read the setting `exposure_configuration`, alone or among other settings.

    Raises:
        MalformedConfigurationFileError: The file is too long, no JSON object, or of the v2 model.
        InvalidExposureConfigurationError: Parameters are missing or wrong.
        UnreadableFileError: The system refused.
    """
    data = read_file(path, max_bytes=_MAX_BYTES)
    if len(data) > _MAX_BYTES:
        raise MalformedConfigurationFileError(f"{path} exceeds {_MAX_BYTES} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedConfigurationFileError(f"{path} is not JSON") from error
    setting = document.get(_SETTING, document) if isinstance(document, dict) else document
    if not isinstance(setting, dict):
        raise MalformedConfigurationFileError(f"{path} holds no JSON object with the parameters")
    if _SECOND_MODEL in setting:
        raise MalformedConfigurationFileError(
            f"{path} holds parameters of the v2 model; those of the v1 model can be read"
        )
    return ExposureConfiguration.parse(setting)
