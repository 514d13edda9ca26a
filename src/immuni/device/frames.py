"""Frames on the device's socket: a length, then that many bytes."""

import asyncio
import struct
from typing import Final

from immuni.errors import ImmuniError
from immuni.export import MAX_EXPORT_BYTES

MAX_MESSAGE_BYTES: Final = 1024 * 1024
"""More than any request or answer needs; TEK Chunks have a limit of their own."""
MAX_CHUNK_BYTES: Final = MAX_EXPORT_BYTES

_LENGTH: Final = struct.Struct(">I")


class MalformedFrameError(ImmuniError, ValueError):
    """What came over the socket is no message of this protocol; the conversation is over."""


async def read_frame(reader: asyncio.StreamReader, *, most: int) -> bytes | None:
    """Return the content of the next frame, None where the other side has ended.

    Args:
        reader: The other side.
        most: Largest content, in bytes.

    Layout:
        ``0..3`` length, unsigned, most significant byte first, then the content.

    Raises:
        MalformedFrameError: The frame is larger, or breaks off.
    """
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise MalformedFrameError("a frame broke off") from error
        return None
    if length > most:
        raise MalformedFrameError(f"a frame has at most {most} bytes, got {length}")
    try:
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise MalformedFrameError("a frame broke off") from error


async def write_frame(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Send one frame, and wait until the other side keeps up."""
    writer.write(_LENGTH.pack(len(content)))
    writer.write(content)
    await writer.drain()
