"""A uvicorn protocol that sends an answer in one write, and takes a body without stopping for it.

uvicorn writes status line and headers first, then the body: over TLS two records, by whose number
an observer tells an answer with a body from one without. It stops reading a connection at 64 kB of
a body until the application takes them: a fifth of the processor time of a dummy of 110 kB.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from immuni.web.bodies import WHOLE_BODY_KEY

_BODY_BUFFER: Final = 256 * 1024
"""Bytes of a body that wait for the application before its connection is not read any further; as
much as a body may have by default."""
_JOINED_BYTES: Final = 64 * 1024
"""Up to so many bytes an answer is joined. Beyond, its size shows anyway, and copying megabytes
takes longer than everything else."""


class OneWriteHttpProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, with each answer in one write and bodies in one go.

    Handed to uvicorn as its ``http`` option.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        """Speak through a transport that gathers."""
        super().connection_made(_GatheringTransport(transport, self.loop))  # type: ignore[arg-type]  # quacks like one

    def on_body(self, body: bytes) -> None:
        """Keep a part of a body until the application takes it."""
        if self.cycle.response_complete:
            return
        self.cycle.body += body
        if len(self.cycle.body) > _BODY_BUFFER:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        """Say that the body is whole; a small one is so before the application starts."""
        super().on_message_complete()
        self.cycle.scope[WHOLE_BODY_KEY] = True  # type: ignore[typeddict-unknown-key]


class _GatheringTransport:
    """Joins everything that is written in one turn of the event loop.

    A handler's start and body messages follow each other without a pause, so they share a turn.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._gathered: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._gathered:
            self._loop.call_soon(self._flush)
        self._gathered.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if not self._gathered:
            return
        gathered, self._gathered = self._gathered, []
        if sum(map(len, gathered)) <= _JOINED_BYTES:
            self._transport.write(b"".join(gathered))
        else:
            self._transport.writelines(gathered)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real one has
        return getattr(self._transport, name)
