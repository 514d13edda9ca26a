"""The chunks as anybody can see them: the phones download the same files, and verify them."""

import asyncio
from http import HTTPStatus
from typing import Final, Self

import httpx

from immuni.demo.verdict import StoryFailedError
from immuni.export import Export, read_unverified_export

_TIMEOUT_SECONDS: Final = 10
_PAUSE_SECONDS: Final = 0.05


class PublishedChunks:
    """The *get* host, seen from outside."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """Look through `client`, which knows the host's address."""
        self._client = client

    @classmethod
    def at(cls, get_url: str) -> Self:
        """Look at the host at `get_url`."""
        return cls(httpx.AsyncClient(base_url=get_url, timeout=_TIMEOUT_SECONDS, trust_env=False))

    async def newest(self) -> int:
        """Return the number of the newest chunk, 0 where there is none."""
        answer = await self._client.get("/v1/keys/index")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return 0
        newest: int = answer.raise_for_status().json()["newest"]
        return newest

    async def appeared_after(self, number: int) -> Export:
        """Return the newest chunk as soon as its number is greater than `number`.

        Raises:
            StoryFailedError: None appears.
        """
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                # The host learns of a new chunk by a notice, which takes a moment.
                while (newest := await self.newest()) <= number:  # noqa: ASYNC110 - see above
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError as error:
            raise StoryFailedError(f"no chunk appeared after chunk {number}") from error
        chunk = await self._client.get(f"/v1/keys/{newest}")
        return read_unverified_export(chunk.raise_for_status().content)

    async def close(self) -> None:
        """Look away."""
        await self._client.aclose()
