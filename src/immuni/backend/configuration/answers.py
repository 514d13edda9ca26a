"""Signed answers, made once and given many times."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from immuni.api import Platform, SettingsStamp
from immuni.backend.configuration.rules import UNPUBLISHED, SettingsSet, resolve
from immuni.backend.signing import Signer
from immuni.clock import Clock
from immuni.web import Content, entity_tag

_SIGNED_AGAIN_AFTER: Final = timedelta(minutes=10)
"""How old a signature may be when it is given out; a cache in front adds its own hour."""
_MAX_ANSWERS: Final = 2048


@dataclass(frozen=True, slots=True)
class _Signed:
    content: Content
    issued_at: datetime


class SettingsAnswers:
    """The answers to all phones, for the set in force."""

    def __init__(self, signer: Callable[[], Signer], clock: Clock) -> None:
        """Answer with no settings at all until a set is put in force."""
        self._signer = signer
        self._clock = clock
        self._in_force = UNPUBLISHED
        self._signed: OrderedDict[tuple[Platform, int], _Signed] = OrderedDict()
        self._signing: dict[tuple[Platform, int, int], asyncio.Task[Content]] = {}

    @property
    def version(self) -> int:
        """Version of the set in force."""
        return self._in_force.version

    def put_in_force(self, settings: SettingsSet) -> None:
        """Answer from `settings` from now on."""
        if settings.version != self._in_force.version:
            self._in_force = settings
            self._signed.clear()

    async def answer(self, platform: Platform, build: int) -> Content:
        """Return the signed settings for one platform and build.

        Several who ask at once wait for the same signature.

        Raises:
            SigningFailedError: It could not be signed; the next who asks tries again.
        """
        known = self._signed.get((platform, build))
        if known is not None and abs(self._clock.now() - known.issued_at) < _SIGNED_AGAIN_AFTER:
            self._signed.move_to_end((platform, build))
            return known.content
        asked = (platform, build, self.version)
        signing = self._signing.get(asked)
        if signing is None:
            signing = asyncio.create_task(self._sign_and_keep(platform, build))
            self._signing[asked] = signing
            signing.add_done_callback(lambda _done: self._signing.pop(asked))
        # One who no longer waits must not take the signature away from the others.
        return await asyncio.shield(signing)

    async def _sign_and_keep(self, platform: Platform, build: int) -> Content:
        now, in_force = self._clock.now(), self._in_force
        # A token or a signing service takes its time: the event loop has others to answer.
        content = await asyncio.to_thread(self._sign, in_force, platform, build, now)
        if in_force is self._in_force:
            self._signed[platform, build] = _Signed(content, now)
            while len(self._signed) > _MAX_ANSWERS:
                self._signed.popitem(last=False)
        return content

    def _sign(
        self, settings: SettingsSet, platform: Platform, build: int, now: datetime
    ) -> Content:
        values = resolve(settings.entries, platform=platform, build=build)
        body = msgspec.json.encode(values)
        stamp = SettingsStamp.of(
            body, platform=platform, build=build, version=settings.version, issued_at=now
        )
        signer = self._signer()
        signature = signer.sign(stamp.signed_bytes())
        return Content(
            body=body,
            etag=entity_tag(stamp.body_sha256),
            headers=stamp.headers(signer.key_id, signature),
        )
