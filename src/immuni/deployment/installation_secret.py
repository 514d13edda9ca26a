"""Where the secret of an installation is kept: in a file that only its owner can read."""

import stat
from pathlib import Path
from typing import Final

from immuni.app.secret import InstallationSecret, InvalidSecretError
from immuni.deployment.private_files import make_private_folder, write_private
from immuni.entropy import Entropy

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def read_secret(path: Path) -> InstallationSecret | None:
    """Return the secret in the file `path`; None where there is none that may be trusted.

    One that others can read, or that is damaged, is as good as none.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & _OTHERS:
            return None
        return InstallationSecret.parse(path.read_text("ascii"))
    except (FileNotFoundError, InvalidSecretError, UnicodeDecodeError):
        return None


def kept_secret(path: Path, entropy: Entropy) -> InstallationSecret:
    """Return the secret in the file `path`, made now where there is none that may be trusted."""
    return read_secret(path) or renewed_secret(path, entropy)


def renewed_secret(path: Path, entropy: Entropy) -> InstallationSecret:
    """Replace the secret in the file `path`: every link and every cookie of before is void."""
    secret = InstallationSecret.draw(entropy)
    make_private_folder(path.parent)
    write_private(path, secret.text.encode("ascii"))
    return secret
