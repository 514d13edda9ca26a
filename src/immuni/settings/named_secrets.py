"""Secrets by name, as settings give them: ``id:hex`` pairs, separated by commas."""

import re
from collections.abc import Mapping
from typing import Final

_ENTRY: Final = re.compile(r"(?P<key_id>[A-Za-z0-9._-]{1,32}):(?P<secret>(?:[0-9a-f]{2})+)")


def parse_named_secrets(text: str) -> dict[str, bytes]:
    """Read secrets by their ids, in the order in which they stand.

    >>> list(parse_named_secrets("k2:00ff,k1:aa"))
    ['k2', 'k1']

    Raises:
        ValueError: A pair is malformed, an id comes twice, or there is none; the message repeats
            nothing of what was read.
    """
    entries = [_ENTRY.fullmatch(entry) for entry in text.split(",")]
    secrets = {entry["key_id"]: bytes.fromhex(entry["secret"]) for entry in entries if entry}
    if len(secrets) != len(entries):
        raise ValueError("want pairs of distinct id and hexadecimal secret")
    return secrets


def render_named_secrets(secrets: Mapping[str, bytes]) -> str:
    """Write secrets as `parse_named_secrets` reads them."""
    return ",".join(f"{key_id}:{secret.hex()}" for key_id, secret in secrets.items())
