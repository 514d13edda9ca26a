"""Scans: the few seconds in which a phone listens, told from what it heard in them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from immuni.risk.contact import Sample

LONGEST_SCAN_GAP: Final = timedelta(seconds=25.5)
"""Sightings that are no further apart belong to one scan."""


def runs(samples: Sequence[Sample], longest_gap: timedelta) -> Iterator[list[Sample]]:
    """Cut `samples`, which are sorted by time, wherever a gap exceeds the longest."""
    run: list[Sample] = []
    for sample in samples:
        if run and sample.at - run[-1].at > longest_gap:
            yield run
            run = []
        run.append(sample)
    if run:
        yield run
