"""The Exposure Reporting Service over HTTP."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus

from immuni.api import ChunkIndex, encode, examples
from immuni.api.headers import ZIP_CONTENT_TYPE
from immuni.backend.chunks import ChunkStore
from immuni.backend.errors import ChunkNotFoundError, NoChunksError
from immuni.backend.following import Connection, Follower, FollowingSettings
from immuni.backend.reporting.library import ChunkLibrary
from immuni.backend.reporting.metrics import IndexMetrics
from immuni.backend.reporting.store import CHANNEL, load_chunks
from immuni.backend.retention import RetentionSettings
from immuni.clock import Clock
from immuni.settings import integer, setting
from immuni.web import (
    ACCEPT_RANGES,
    CONTENT_RANGE,
    ETAG,
    WHOLE_LENGTH,
    Call,
    Content,
    Endpoint,
    Method,
    Parameter,
    Place,
    RangeError,
    Reply,
    Service,
    entity_tag,
    serve,
)

_INDEX = Parameter(
    name="index",
    place=Place.PATH,
    description="Number of the chunk; written in one way only.",
    pattern="[1-9][0-9]{0,18}",
    example="87",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingSettings:
    """How chunks are given out."""

    chunk_cache_bytes: int = setting(
        integer(0, 2**40),
        default=256 * 2**20,
        meaning="Bytes of chunk files that one process keeps in memory.",
    )


def reporting_service(
    *,
    database_url: str,
    store: ChunkStore,
    clock: Clock,
    settings: ReportingSettings,
    retention: RetentionSettings,
    following: FollowingSettings,
    metrics: IndexMetrics | None = None,
) -> Service:
    """Build the service.

    Args:
        database_url: Direct connection with the service's role; read only.
        store: Holds the chunk files.
        clock: Tells which chunks have expired.
        settings: How chunks are given out.
        retention: For how long chunks are of use.
        following: How the list of chunks is kept up with.
        metrics: Keeps when the index was last complete; None keeps nothing.
    """
    library = ChunkLibrary(
        store, clock, retention=retention.retention, cache_bytes=settings.chunk_cache_bytes
    )

    async def refresh(connection: Connection) -> None:
        is_complete = await library.replace(await load_chunks(connection))
        if is_complete and metrics is not None:
            metrics.note_complete(clock)

    follower = Follower(database_url, channel=CHANNEL, refresh=refresh, settings=following)

    async def index(call: Call[None]) -> Reply:
        follower.check_read()
        return serve(call, _content_of(library.index()))

    async def chunk(call: Call[None]) -> Reply:
        follower.check_read()
        found = library.find(int(call.path["index"]))
        content = Content(
            body=await library.read(found),
            etag=entity_tag(found.name.digest),
            content_type=ZIP_CONTENT_TYPE,
        )
        return serve(call, content, ranges=True)

    async def is_ready() -> None:
        await follower.is_fresh()
        await store.names()

    return Service(
        name="reporting",
        title="Exposure Reporting Service",
        endpoints=_endpoints(index, chunk),
        is_ready=is_ready,
        running=follower.running,
    )


def _endpoints(
    index: Callable[[Call[None]], Awaitable[Reply]],
    chunk: Callable[[Call[None]], Awaitable[Reply]],
) -> tuple[Endpoint[None], ...]:
    return (
        Endpoint(
            method=Method.GET,
            path="/v1/keys/index",
            summary="Fetch the chunk index",
            handler=index,
            replies={HTTPStatus.OK: ChunkIndex, HTTPStatus.NOT_MODIFIED: None},
            errors=(NoChunksError,),
            says=(ETAG,),
            reply_examples={HTTPStatus.OK: examples.CHUNK_INDEX},
            cache_control="public, max-age=1800",
        ),
        Endpoint(
            method=Method.GET,
            path="/v1/keys/{index}",
            summary="Download a chunk",
            handler=chunk,
            replies={
                HTTPStatus.OK: ZIP_CONTENT_TYPE,
                HTTPStatus.PARTIAL_CONTENT: ZIP_CONTENT_TYPE,
                HTTPStatus.NOT_MODIFIED: None,
            },
            parameters=(_INDEX,),
            errors=(ChunkNotFoundError, RangeError),
            says=(ETAG, ACCEPT_RANGES, CONTENT_RANGE, WHOLE_LENGTH),
            cache_control="public, max-age=1296000, immutable",
        ),
    )


@lru_cache(maxsize=1)
def _content_of(index: ChunkIndex) -> Content:
    """Return the answer that tells of an index; it is the same for hours."""
    body = encode(index)
    return Content(body=body, etag=entity_tag(hashlib.sha256(body).digest()))
