"""From bytes to requests and answers that cannot be wrong, and back."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from immuni.api.encoding import Base64Bytes
from immuni.api.errors import MalformedRequestError, error_message
from immuni.api.limits import MAX_PADDING_SIZE
from immuni.errors import ImmuniError

M = TypeVar("M", bound=msgspec.Struct)

_PADDING_CHARACTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_PLACE: Final = " - at `"
_MISSING: Final = "Object missing required field `"
_REASONS: Final = (
    ("Object contains unknown field", "unknown member"),
    ("Expected `array` of", "wrong length"),
    ("Expected `str` of", "wrong length"),
    ("Expected `str` matching", "wrong form"),
    ("Expected `int` <", "out of range"),
    ("Expected `int` >", "out of range"),
    ("Expected `float` <", "out of range"),
    ("Expected `float` >", "out of range"),
    ("Expected `", "wrong type"),
    ("Invalid enum value", "not one of the values"),
    ("Invalid ", "wrong form"),
)
"""Beginnings of msgspec's messages, which quote what was sent, and ours, which do not."""
OUR_REASONS: Final = frozenset(
    {
        "exposure infos too many",
        "not strict base64",
        "onset or test date missing",
        "padding wrong form",
        "padding wrong length",
        "teks not distinct",
        "teks overlap",
        "teks with one start too many",
        "wrong length",
        "wrong order",
        "wrong type",
    }
)
"""What the API's own checks may say."""


class MalformedAnswerError(ImmuniError, ValueError):
    """A server's answer is not as the API defines it; it must be discarded."""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A JSON object that phones or the health information system send.

    Unknown members are refused. Of a member that is there twice the last counts, as JSON parsers
    commonly do. The representation tells the type only: contents never show in a log or traceback.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON object that servers send; readers ignore members that they do not know."""


def parse_request(kind: type[M], body: bytes) -> M:
    """Read a request's body.

    Raises:
        MalformedRequestError: It breaks a rule; the message says which and where, in the API's own
            words only.
    """
    try:
        message: M = _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise MalformedRequestError(_describe(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedRequestError("malformed JSON") from None
    return message


def parse_answer(kind: type[M], body: bytes) -> M:
    """Read an answer's body.

    Raises:
        MalformedAnswerError: It is not JSON or breaks a rule.
    """
    try:
        message: M = _decoder(kind).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedAnswerError(f"{kind.__name__}: {type(error).__name__}") from None
    return message


def encode(message: msgspec.Struct) -> bytes:
    """Return the compact JSON of a request or an answer."""
    return _ENCODER.encode(message)


def json_schemas(
    kinds: Iterable[Any], *, ref_template: str
) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """Return the JSON schemas of `kinds`, and the components that they refer to."""
    return msgspec.json.schema_components(kinds, schema_hook=_schema_of, ref_template=ref_template)


def check_padding(padding: str) -> None:
    """Refuse padding that holds anything but ASCII letters and digits.

    A pattern would cost ten times as much on 110 kB as this translation does.

    Raises:
        ValueError: It does, or it is too long.
    """
    if len(padding) > MAX_PADDING_SIZE:
        raise ValueError("padding wrong length")
    if not padding.isascii() or padding.encode("ascii").translate(None, _PADDING_CHARACTERS):
        raise ValueError("padding wrong form")


@cache
def _decoder(kind: type[M]) -> msgspec.json.Decoder[M]:
    return msgspec.json.Decoder(kind, dec_hook=_decode_base64)


def _decode_base64(kind: type[object], value: object) -> Base64Bytes:
    if not issubclass(kind, Base64Bytes):
        raise NotImplementedError(f"{kind.__name__} has no JSON form")
    return kind.parse(value)


def _encode_base64(value: object) -> str:
    if not isinstance(value, Base64Bytes):
        raise NotImplementedError(f"{type(value).__name__} has no JSON form")
    return value.base64()


def _schema_of(kind: type[object]) -> dict[str, Any]:
    if not issubclass(kind, Base64Bytes):
        raise NotImplementedError(f"{kind.__name__} has no schema")
    return kind.SCHEMA


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_encode_base64)


def _describe(fault: str) -> str:
    """Put msgspec's message into words that repeat nothing of what was sent."""
    what, _, path = fault.partition(_PLACE)
    reason = what if what in OUR_REASONS else _reason(what)
    where = _where(path.rstrip("`"))
    return error_message(f"{where} {reason}" if where else reason)


def _reason(what: str) -> str:
    if what.startswith(_MISSING):
        # The name is one of ours: it stands in the type, not in the body.
        return f"{_in_words(what.removeprefix(_MISSING))} missing"
    return next((ours for start, ours in _REASONS if what.startswith(start)), "not as defined")


def _where(path: str) -> str:
    """Return the last two members of a path like ``$.teks[3].key_data``, without its indices."""
    members = [part.partition("[")[0] for part in path.removeprefix("$").split(".")]
    return ".".join([_in_words(member) for member in members if member][-2:])


def _in_words(name: str) -> str:
    return name.rstrip("`").replace("_", " ")
