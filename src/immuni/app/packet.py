"""Requests to the ingestion host, all of one size. Pure.

Check or upload, genuine or dummy: the same header names in the same order, and exactly
`teks_packet_size` bytes of request line, headers and body.

Source:
    Traffic analysis mitigation, "Equal sizes".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from immuni.api import CheckOtp, ExposureDetectionSummaryUpload, ExposureInfoUpload, Upload, encode
from immuni.api.headers import AUTHORIZATION, CLIENT_CLOCK, DUMMY_DATA, JSON_CONTENT_TYPE
from immuni.errors import ImmuniError
from immuni.otp import OtpHash

CHECK_PATH: Final = "/v1/ingestion/check-otp"
UPLOAD_PATH: Final = "/v1/ingestion/upload"
_FILLER: Final = "0"


class ContentTooLargeError(ImmuniError, ValueError):
    """A request's content leaves no room in the packet; nothing was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What stands around the content of a request.

    Attributes:
        authority: Host and port for the Host header.
        token: The bearer: the hash of the code, or as many random digits in a dummy.
        client_clock: The phone's clock, sent on checks too so that nothing tells them apart.
        size: Bytes of the whole request, `teks_packet_size`.
        is_dummy: Whether the request says of itself that it means nothing.
    """

    authority: str
    token: OtpHash
    client_clock: datetime
    size: int
    is_dummy: bool = False


def check_packet(envelope: Envelope) -> bytes:
    """Return the request that asks whether a code is authorised."""
    return _packet(CHECK_PATH, envelope, CheckOtp())


def upload_packet(envelope: Envelope, upload: Upload) -> bytes:
    """Return the request that uploads, without the infos that find no room.

    The infos with the lowest scores are dropped until the rest fits.

    Raises:
        ContentTooLargeError: It does not fit without any info either.
    """
    room = envelope.size - len(_head(UPLOAD_PATH, envelope, body_size=0))
    return _packet(UPLOAD_PATH, envelope, _fitting(upload, room))


def _packet(path: str, envelope: Envelope, content: CheckOtp | Upload) -> bytes:
    room = envelope.size - len(_head(path, envelope, body_size=0))
    missing = room - len(encode(content))
    if missing < 0:
        raise ContentTooLargeError(f"the content exceeds the packet of {envelope.size} bytes")
    body = encode(msgspec.structs.replace(content, padding=_FILLER * missing))
    return _head(path, envelope, body_size=len(body)) + body


def _head(path: str, envelope: Envelope, *, body_size: int) -> bytes:
    """Return request line and headers.

    The length of the body is written with six digits whatever it is, so that it can be known
    before the padding is.
    """
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {envelope.authority}",
        f"{AUTHORIZATION}: Bearer {envelope.token}",
        f"Content-Type: {JSON_CONTENT_TYPE}",
        f"Content-Length: {body_size:06d}",
        f"{DUMMY_DATA}: {int(envelope.is_dummy)}",
        f"{CLIENT_CLOCK}: {int(envelope.client_clock.timestamp())}",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")


def _fitting(upload: Upload, room: int) -> Upload:
    """Drop the infos with the lowest scores until the compact JSON has at most `room` bytes."""
    infos = [info for each in upload.exposure_detection_summaries for info in each.exposure_info]
    excess = len(encode(upload)) - room
    doomed: set[int] = set()
    for info in sorted(infos, key=lambda info: info.total_risk_score):
        if excess <= 0:
            break
        doomed.add(id(info))
        excess -= len(encode(info)) + len(",")
    # A list that loses its last info keeps no comma, so the estimate may be a byte too good.
    kept = _without(upload, doomed)
    return kept if len(encode(kept)) <= room or not doomed else _fitting(kept, room)


def _without(upload: Upload, doomed: set[int]) -> Upload:
    def keeps(info: ExposureInfoUpload) -> bool:
        return id(info) not in doomed

    def thinned(summary: ExposureDetectionSummaryUpload) -> ExposureDetectionSummaryUpload:
        infos = tuple(filter(keeps, summary.exposure_info))
        return msgspec.structs.replace(summary, exposure_info=infos)

    return msgspec.structs.replace(
        upload,
        exposure_detection_summaries=tuple(map(thinned, upload.exposure_detection_summaries)),
    )
