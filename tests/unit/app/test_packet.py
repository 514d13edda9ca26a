from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.api import (
    CheckOtp,
    ExposureDetectionSummaryUpload,
    ExposureInfoUpload,
    KeyData,
    Tek,
    Upload,
    parse_request,
)
from immuni.app.packet import ContentTooLargeError, Envelope, check_packet, upload_packet
from immuni.otp import OtpHash

SIZE = 110_000
NOW = datetime(2020, 6, 8, 12, tzinfo=UTC)
ENVELOPE = Envelope(
    authority="upload.example:443", token=OtpHash("ab" * 32), client_clock=NOW, size=SIZE
)


def info(score: int) -> ExposureInfoUpload:
    return ExposureInfoUpload(
        date=date(2020, 6, 1),
        duration=1800,
        attenuation_value=255,
        attenuation_durations=(1800, 1800, 1800),
        transmission_risk_level=8,
        total_risk_score=score,
    )


def upload(*, keys: int, summaries: int, infos_each: int) -> Upload:
    return Upload(
        teks=tuple(
            Tek(
                key_data=KeyData(number.to_bytes(16)),
                rolling_start_number=2_650_000 + 144 * number,
                rolling_period=144,
            )
            for number in range(keys)
        ),
        province="CH",
        exposure_detection_summaries=tuple(
            ExposureDetectionSummaryUpload(
                date=date(2020, 6, 1) + timedelta(days=number % 7),
                matched_key_count=2**31 - 1,
                days_since_last_exposure=14,
                attenuation_durations=(1800, 1800, 1800),
                maximum_risk_score=4096,
                exposure_info=tuple(
                    info(1000 + number * infos_each + place) for place in range(infos_each)
                ),
            )
            for number in range(summaries)
        ),
    )


SMALLEST = upload(keys=0, summaries=0, infos_each=0)
LARGEST = upload(keys=14, summaries=84, infos_each=7)


def parts(packet: bytes) -> tuple[list[str], bytes]:
    head, _, body = packet.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), body


def header_names(packet: bytes) -> list[str]:
    return [line.partition(":")[0] for line in parts(packet)[0][1:]]


@pytest.mark.parametrize("is_dummy", [False, True])
@pytest.mark.parametrize("content", [SMALLEST, LARGEST])
def test_all_four_kinds_have_the_same_size_and_the_same_header_names(
    content: Upload, *, is_dummy: bool
) -> None:
    envelope = Envelope(
        authority=ENVELOPE.authority,
        token=ENVELOPE.token,
        client_clock=NOW,
        size=SIZE,
        is_dummy=is_dummy,
    )
    packets = [check_packet(envelope), upload_packet(envelope, content)]

    assert [len(packet) for packet in packets] == [SIZE, SIZE]
    assert header_names(packets[0]) == header_names(packets[1])


@given(st.integers(0, 14), st.integers(0, 84), st.integers(0, 7))
def test_an_upload_of_any_content_has_the_size_of_the_packet(
    keys: int, summaries: int, infos_each: int
) -> None:
    packet = upload_packet(ENVELOPE, upload(keys=keys, summaries=summaries, infos_each=infos_each))

    assert len(packet) == SIZE
    head, body = parts(packet)
    assert f"Content-Length: {len(body):06d}" in head


def test_what_is_sent_is_what_the_api_accepts() -> None:
    check = parse_request(CheckOtp, parts(check_packet(ENVELOPE))[1])
    sent = parse_request(Upload, parts(upload_packet(ENVELOPE, LARGEST))[1])

    assert check.padding
    assert sent.teks == LARGEST.teks
    assert len(sent.exposure_detection_summaries) == 84


def test_the_infos_with_the_lowest_scores_give_way_first() -> None:
    small = Envelope(
        authority=ENVELOPE.authority, token=ENVELOPE.token, client_clock=NOW, size=40_000
    )

    sent = parse_request(Upload, parts(upload_packet(small, LARGEST))[1])

    def scores(content: Upload) -> list[int]:
        summaries = content.exposure_detection_summaries
        return [each.total_risk_score for one in summaries for each in one.exposure_info]

    kept = scores(sent)
    assert 0 < len(kept) < len(scores(LARGEST))
    assert sorted(kept) == sorted(scores(LARGEST))[-len(kept) :]
    assert len(sent.padding) < len(msgspec.json.encode(info(1))) + 2


def test_content_that_does_not_fit_without_infos_is_refused() -> None:
    tiny = Envelope(authority="a:1", token=ENVELOPE.token, client_clock=NOW, size=2_000)

    with pytest.raises(ContentTooLargeError):
        upload_packet(tiny, upload(keys=14, summaries=20, infos_each=0))
