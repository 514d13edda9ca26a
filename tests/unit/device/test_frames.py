import asyncio
import struct

import pytest

from immuni.device.frames import MalformedFrameError, read_frame

pytestmark = pytest.mark.anyio


def told(*pieces: bytes) -> asyncio.StreamReader:
    """Return what another side sends before it ends."""
    reader = asyncio.StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return reader


def frame(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


async def test_frames_come_one_after_the_other_however_the_bytes_arrive() -> None:
    whole = frame(b"first") + frame(b"") + frame(b"third")
    reader = told(*(whole[place : place + 1] for place in range(len(whole))))

    assert [await read_frame(reader, most=5) for _ in range(4)] == [b"first", b"", b"third", None]


async def test_a_frame_has_at_most_the_bytes_that_are_allowed() -> None:
    assert await read_frame(told(frame(bytes(100))), most=100) == bytes(100)
    with pytest.raises(MalformedFrameError, match="at most 100 bytes, got 101"):
        await read_frame(told(frame(bytes(101))), most=100)


@pytest.mark.parametrize("length", range(1, 9))
async def test_a_frame_that_breaks_off_is_malformed(length: int) -> None:
    with pytest.raises(MalformedFrameError, match="broke off"):
        await read_frame(told(frame(b"12345")[:length]), most=100)


async def test_a_length_is_believed_only_up_to_the_limit() -> None:
    reader = told(b"\xff\xff\xff\xff")

    with pytest.raises(MalformedFrameError, match="got 4294967295"):
        await read_frame(reader, most=1000)
