"""The stand-in for Apple's DeviceCheck, as a part of a system on one machine.

So analytics of iOS phones can be tried without Apple. Settings of one's own, in the environment,
send the system to Apple instead.
"""

import sys
from base64 import b64decode
from dataclasses import dataclass
from typing import Final

from immuni.api import DeviceToken
from immuni.backend.signing import LocalKeySigner, create_signing_key
from immuni.deployment.layout import Layout
from immuni.deployment.private_files import write_whole
from immuni.deployment.roles import Ports
from immuni.deployment.settings import apple_url
from immuni.deployment.supervisor import Part
from immuni.entropy import Entropy
from immuni.testing.apple import device_token

_KEY_ID: Final = "STANDIN"
_TEAM_ID: Final = "IMMUNI"


_NONCE_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class VirtualDeviceCheck:
    """Makes the tokens of a virtual iOS phone, as its platform would.

    Attributes:
        device: The stand-in knows the phone by it.
        entropy: Makes each token another one.
    """

    device: str
    entropy: Entropy

    async def device_token(self) -> DeviceToken:
        """Return a token."""
        return DeviceToken(b64decode(device_token(self.device, self.entropy.token(_NONCE_LENGTH))))


def ensure_device_check_key(layout: Layout) -> None:
    """Make the key by which the stand-in knows us, where there is none."""
    if not layout.device_check_key.exists():
        create_signing_key(layout.device_check_key)
    signer = LocalKeySigner.read(layout.device_check_key, key_id=_KEY_ID)
    write_whole(layout.device_check_public_key, signer.public_pem())


def device_check_settings(layout: Layout, ports: Ports) -> dict[str, str]:
    """Return the settings, by name, that lead to the stand-in."""
    return {
        "device_check_url": apple_url(ports),
        "device_check_key_file": str(layout.device_check_key),
        "device_check_key_id": _KEY_ID,
        "device_check_team_id": _TEAM_ID,
    }


def apple_part(layout: Layout, ports: Ports) -> Part:
    """Return the process of the stand-in."""
    command = [
        *(sys.executable, "-m", "immuni.testing.apple"),
        *("--port", str(ports.apple)),
        *("--team-id", _TEAM_ID),
        *("--key-id", _KEY_ID),
        *("--public-key", str(layout.device_check_public_key)),
        *("--clock", str(layout.demonstration_clock)),
    ]
    return Part("apple", command, layout.logs / "apple.log")
