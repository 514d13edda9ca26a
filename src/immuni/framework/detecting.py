"""Detections: one at a time, so many a day, and what becomes of their outcome."""

import asyncio
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import Final

import msgspec

from immuni.export import VerificationKey
from immuni.framework.detection import Contact, Contacts, contacts_among, published_keys
from immuni.framework.refusals import DetectionQuotaError
from immuni.framework.store import Store
from immuni.framework.store.results import DetectionKind, KeyTag, TaggedWindow
from immuni.keys import PackedKeys
from immuni.matching import SightingIndex, places_heard, supersedes
from immuni.risk import (
    DailySummariesConfiguration,
    DailySummary,
    DiagnosisKeysDataMapping,
    ExposureConfiguration,
    ExposureDetectionSummary,
    ExposureInfo,
    ExposureWindow,
    assess,
    find_windows,
    summarise_days,
)

MAX_DETECTIONS_PER_DAY: Final = 15
"""Of the first model, in a UTC day."""
MAX_WINDOW_DETECTIONS_PER_DAY: Final = 6
"""Of the second model, in a UTC day."""

_QUOTAS: Final = {
    DetectionKind.V1: MAX_DETECTIONS_PER_DAY,
    DetectionKind.V2: MAX_WINDOW_DETECTIONS_PER_DAY,
}


class Detecting:
    """What a phone finds out about itself, and keeps.

    Privacy:
        Which key gave what is known here only, so that a revoked key can take it back.
    """

    def __init__(self, store: Store, verification_keys: Sequence[VerificationKey]) -> None:
        """Detect with what `store` holds, and files that one of `verification_keys` signed."""
        self._store = store
        self._verification_keys = tuple(verification_keys)
        self._busy = asyncio.Lock()

    @property
    def between_detections(self) -> asyncio.Lock:
        """Held by a detection, and by whoever must not change the store during one."""
        return self._busy

    async def exposures(
        self, exports: Sequence[bytes], configuration: ExposureConfiguration, *, now: datetime
    ) -> ExposureDetectionSummary:
        """Hold a detection by the first model.

        Raises:
            DetectionQuotaError: 15 were held this UTC day.
            RefusedExportError: Some file is damaged or not signed by a pinned key.
            StoreError: What was found could not be kept.
        """
        async with self._busy:
            contacts = await self._contacts(exports, DetectionKind.V1, now)
            exposures = [
                (self._tag(contact), info)
                for contact in contacts.found
                for info in assess([contact.heard], configuration, now=now).infos
            ]
            self._store.results.add_exposures(now, exposures)
        return assess([each.heard for each in contacts.found], configuration, now=now).summary

    async def windows(
        self, exports: Sequence[bytes], mapping: DiagnosisKeysDataMapping, *, now: datetime
    ) -> None:
        """Hold a detection by the second model.

        Raises:
            DetectionQuotaError: 6 were held this UTC day.
            RefusedExportError: Some file is damaged or not signed by a pinned key.
            StoreError: What was found could not be kept.
        """
        async with self._busy:
            contacts = await self._contacts(exports, DetectionKind.V2, now)
            known = {window.tag: _unpacked(window) for window in self._store.results.windows()}
            found = [
                TaggedWindow(tag, window.day, msgspec.msgpack.encode(window))
                for contact in contacts.found
                for tag in (self._tag(contact),)
                for window in find_windows([contact.heard], mapping)
                if not _is_weaker(window, known.get(tag))
            ]
            self._store.results.add_windows(now, found)

    def latest_exposures(self) -> list[ExposureInfo]:
        """Return the exposures of the last detection that found any, in the order of their days.

        Privacy:
            Neighbours need not be of one key.
        """
        return sorted(self._store.results.latest_exposures(), key=astuple)

    def exposure_windows(self) -> list[ExposureWindow]:
        """Return the windows of the last 14 days, in an order that names no key."""
        return sorted(map(_unpacked, self._store.results.windows()))

    def daily_summaries(
        self, configuration: DailySummariesConfiguration, *, now: datetime
    ) -> list[DailySummary]:
        """Return the windows, summed up by day."""
        return list(summarise_days(self.exposure_windows(), configuration, now=now))

    async def _contacts(
        self, exports: Sequence[bytes], kind: DetectionKind, now: datetime
    ) -> Contacts:
        """Match within the quota, and take back what revoked keys gave: also those of before."""
        held, most = self._store.results.held_on(now.astimezone(UTC).date(), kind), _QUOTAS[kind]
        if held >= most:
            raise DetectionQuotaError(f"at most {most} detections a UTC day, {held} were held")
        contacts = await self._found(exports)
        results = self._store.results
        if contacts.revoked:
            results.take_back([results.tag_of(each) for each in contacts.revoked], now=now)
        revoked = results.revoked_among([self._tag(contact) for contact in contacts.found])
        found = tuple(each for each in contacts.found if self._tag(each) not in revoked)
        return replace(contacts, found=found)

    async def _found(self, exports: Sequence[bytes]) -> Contacts:
        """Match in a thread, with the index that is kept, and read only what it names."""
        sightings = self._store.sightings

        def recognised(index: SightingIndex) -> tuple[PackedKeys, memoryview]:
            keys = published_keys(exports, self._verification_keys)
            return keys, places_heard(keys, index)

        with sightings.index() as index:
            keys, places = await asyncio.to_thread(recognised, index)
            heard = sightings.scans_of(places)
        return await asyncio.to_thread(contacts_among, keys, heard)

    def _tag(self, contact: Contact) -> KeyTag:
        return self._store.results.tag_of(contact.key_data)


def _unpacked(window: TaggedWindow) -> ExposureWindow:
    return msgspec.msgpack.decode(window.blob, type=ExposureWindow)


def _is_weaker(window: ExposureWindow, known: ExposureWindow | None) -> bool:
    """Tell whether a key that is known already came again as less than it was."""
    return known is not None and supersedes(known.report_type, window.report_type)
