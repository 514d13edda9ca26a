"""The settings of the App on a Linux device: whom it asks, and whom it trusts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from immuni.api import Platform
from immuni.app.build import Build, pinned_tls
from immuni.settings import (
    ENVIRONMENT_PREFIX,
    SettingsError,
    Source,
    gather,
    integer,
    path,
    read_all,
    setting,
    text,
)

BUILD_NUMBER: Final = 1
"""Of this release of the App, compared with the setting `minimum_build_version`."""
_PREFIX: Final = "app_"
_NO_SETTING: Final = "app_dir"
_URL: Final = text(
    pattern=r"(?:https?://\S+)?", wanted="a URL that begins with https:// or http://"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """What is compiled into the App of a phone, and told to the App of a Linux device.

    Without an authority only plain HTTP can be spoken, which is for servers on this machine.
    """

    app_get_url: str = setting(
        _URL, default="", meaning="Where the App of a Linux device gets settings and chunks."
    )
    app_upload_url: str = setting(_URL, default="", meaning="Where it checks codes and uploads.")
    app_analytics_url: str = setting(_URL, default="", meaning="Where it would send analytics.")
    app_authority: Path | None = setting(
        path(), default=None, meaning="The pinned authority of those servers, PEM."
    )
    app_settings_keys: Path | None = setting(
        path(),
        default=None,
        meaning="Folder of the public keys that sign the Configuration Settings, as ID.pem.",
    )
    app_port: int = setting(
        integer(1024, 65535), default=8440, meaning="Port on loopback of the App's pages."
    )

    def build(self) -> Build:
        """Return the build that these settings make.

        Raises:
            SettingsError: Something is missing, or a file does not hold what it should.
        """
        names = ("app_get_url", "app_upload_url", "app_analytics_url", "app_settings_keys")
        missing = [f"{name}: not set" for name in names if not getattr(self, name)]
        if missing or self.app_settings_keys is None:
            raise SettingsError(missing)
        try:
            return Build(
                platform=Platform.ANDROID,
                number=BUILD_NUMBER,
                get_url=self.app_get_url,
                upload_url=self.app_upload_url,
                analytics_url=self.app_analytics_url,
                settings_keys=_keys_in(self.app_settings_keys),
                tls=pinned_tls(self.app_authority),
            )
        except (OSError, ValueError) as error:
            raise SettingsError([f"app_authority, app_settings_keys: {error}"]) from error


def read_app_settings(environment: Mapping[str, str], file: Path | None) -> AppSettings:
    """Read the App's settings from the environment (IMMUNI_APP_…) over a TOML file.

    Raises:
        SettingsError: At least one is wrong, or there is none of that name; all faults are told.
    """
    own = {
        name: value
        for name, value in environment.items()
        if name.lower().startswith(f"{ENVIRONMENT_PREFIX}{_PREFIX}".lower())
        and name.lower() != f"{ENVIRONMENT_PREFIX}{_NO_SETTING}".lower()
    }
    source: Source = gather(own, file)
    settings: AppSettings = read_all([AppSettings], source)[AppSettings]
    return settings


def _keys_in(folder: Path) -> dict[str, EllipticCurvePublicKey]:
    keys: dict[str, EllipticCurvePublicKey] = {}
    for file in sorted(folder.glob("*.pem")):
        key = load_pem_public_key(file.read_bytes())
        if not isinstance(key, EllipticCurvePublicKey):
            # Not a mistake of the caller's, but in a file that somebody has put there.
            raise ValueError(f"{file} is not the public key of an elliptic curve")  # noqa: TRY004 - see above
        keys[file.stem] = key
    if not keys:
        raise ValueError(f"{folder} holds no key, ID.pem")
    return keys
