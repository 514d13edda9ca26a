"""Signed answers, made once and given many times."""

from collections import OrderedDict
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

    def __init__(self, signer: Signer, clock: Clock) -> None:
        """Answer with no settings at all until a set is put in force."""
        self._signer = signer
        self._clock = clock
        self._in_force = UNPUBLISHED
        self._signed: OrderedDict[tuple[Platform, int], _Signed] = OrderedDict()

    @property
    def version(self) -> int:
        """Version of the set in force."""
        return self._in_force.version

    def put_in_force(self, settings: SettingsSet) -> None:
        """Answer from `settings` from now on."""
        if settings.version != self._in_force.version:
            self._in_force = settings
            self._signed.clear()

    def answer(self, platform: Platform, build: int) -> Content:
        """Return the signed settings for one platform and build."""
        now = self._clock.now()
        known = self._signed.get((platform, build))
        if known is not None and abs(now - known.issued_at) < _SIGNED_AGAIN_AFTER:
            self._signed.move_to_end((platform, build))
            return known.content
        content = self._sign(platform, build, now)
        self._signed[platform, build] = _Signed(content, now)
        while len(self._signed) > _MAX_ANSWERS:
            self._signed.popitem(last=False)
        return content

    def _sign(self, platform: Platform, build: int, now: datetime) -> Content:
        values = resolve(self._in_force.entries, platform=platform, build=build)
        body = msgspec.json.encode(values)
        stamp = SettingsStamp.of(
            body, platform=platform, build=build, version=self.version, issued_at=now
        )
        signature = self._signer.sign(stamp.signed_bytes())
        return Content(
            body=body,
            etag=entity_tag(stamp.body_sha256),
            headers=stamp.headers(self._signer.key_id, signature),
        )
