"""What ``immuni keys`` prints with ``--json``."""

from collections.abc import Mapping
from typing import Final

from scripts.reference.told import Answer, Told

_KEY: Final = {
    "purpose": "export",
    "id": "222",
    "version": "v2",
    "state": "joining",
    "since": "2027-12-29T10:00:00+00:00",
    "kind": "local",
    "place": "file=export-222-v2.key",
    "algorithm": "1.2.840.10045.4.3.2",
}
_MEANINGS: Final = {
    "purpose": "`export` for chunks, `settings` for the Configuration Settings",
    "id": "name under which phones know the key",
    "version": "`v1`, `v2` …",
    "state": "`active`, `joining` or `retired`",
    "since": "since when it is in that state, ISO 8601 in UTC",
    "kind": "what holds the private half: `local`, `pkcs11` or `https`",
    "place": "where that is, as the inventory says",
    "algorithm": "object identifier of ECDSA on P-256 with SHA-256",
}
_EACH: Final = {f"[].{name}": meaning for name, meaning in _MEANINGS.items()}
_LIST: Final = Answer(lambda: [_KEY], _EACH)
_PEM: Final = "-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n"

KEYS: Final[Mapping[str, Told]] = {
    "keys list": Told(exit_codes={}, answers=(_LIST,)),
    "keys new": Told(
        exit_codes={1: "there is an active key already, or the new one does not sign"},
        answers=(Answer(lambda: _KEY | {"version": "v1", "state": "active"}, _MEANINGS),),
    ),
    "keys rotate": Told(
        exit_codes={1: "a rotation is under way, or the new key does not sign"},
        answers=(Answer(lambda: _KEY, _MEANINGS),),
    ),
    "keys retire": Told(
        exit_codes={1: "no key would be left"},
        answers=(Answer(dict, {}, like="what [`keys list`](#immuni-keys-list) prints."),),
    ),
    "keys public": Told(
        exit_codes={},
        answers=(
            Answer(
                lambda: [_KEY | {"public_key": _PEM}],
                _EACH | {"[].public_key": "what phones pin, in PEM"},
            ),
        ),
    ),
}
