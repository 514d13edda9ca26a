"""What ``immuni certs`` prints with ``--json``."""

from collections.abc import Mapping
from typing import Final

from scripts.reference.told import Answer, Told

_LISTED: Final = Answer(
    lambda: [
        {
            "name": "server",
            "hosts": ["otp.internal.example"],
            "ends_at": "2027-12-29T10:00:00+00:00",
            "seconds_left": 34_300_800,
            "in_use": True,
            "due": False,
        }
    ],
    {
        "[].name": "`authority`, `server` (OTP Service) or `client` (portal), and while an "
        "authority is replaced `authority-next` or `authority-previous`; also the name of its file",
        "[].hosts[]": "names and addresses for which it is good; empty for an authority",
        "[].ends_at": "when it ends, ISO 8601 in UTC",
        "[].seconds_left": "how long that is; negative where it has ended",
        "[].in_use": "false for an authority that is only trusted while it is being replaced",
        "[].due": "whether it is in use and ends within `--within`",
    },
)
_LIKE: Final = Answer(dict, {}, like="what [`certs list`](#immuni-certs-list) prints.")

CERTS: Final[Mapping[str, Told]] = {
    "certs list": Told(
        exit_codes={1: "a certificate is due, or there is none"}, answers=(_LISTED,)
    ),
    "certs make": Told(
        exit_codes={1: "there are certificates already, or a host is none; nothing was made"},
        answers=(_LIKE,),
    ),
    "certs renew": Told(
        exit_codes={1: "a file is missing, or the authority is due itself; nothing was renewed"},
        answers=(
            Answer(
                lambda: {"renewed": ["server", "client"]},
                {"renewed[]": "name of a certificate that was renewed; empty where none was due"},
            ),
        ),
    ),
    "certs replace-authority": Told(
        exit_codes={1: "the step before was not taken, or a file is missing"}, answers=(_LIKE,)
    ),
}
