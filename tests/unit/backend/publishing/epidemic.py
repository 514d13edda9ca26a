"""Real people who upload: what a phone hands out, with the dates of an epidemic.

The keys go through the phone's own rules and the server's, so that whatever these do to a real
upload, a simulated one has to show as well.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from immuni.app.contents import newest_keys
from immuni.backend.infectiousness import DEFAULT_INFECTIOUSNESS, Diagnosis
from immuni.backend.ingestion.rules import keys_to_keep
from immuni.backend.publishing.builder import Padder
from immuni.backend.publishing.padding import SimulatedUpload
from immuni.backend.publishing.rules import PublicationRules, Window
from immuni.backend.publishing.settings import PublishingSettings
from immuni.entropy import Entropy, SeededEntropy
from immuni.framework.key_life import keys_to_hand_out
from immuni.framework.store.own_keys import OwnKey
from immuni.keys import (
    TEK_ROLLING_PERIOD,
    ENIntervalNumber,
    TemporaryExposureKey,
    interval_at,
    rolling_start_of,
)

WINDOW: Final = Window(datetime(2020, 6, 20, 8, tzinfo=UTC), datetime(2020, 6, 20, 12, tzinfo=UTC))
RULES: Final = PublicationRules(
    infectiousness=DEFAULT_INFECTIOUSNESS,
    embargo=timedelta(hours=2),
    retention=timedelta(days=14),
)
_DAYS_FROM_ONSET: Final = (2, 6, 11, 15, 15, 13, 11, 8, 6, 4, 3, 3, 2, 1)
"""Of a hundred people with symptoms, how many upload so many days after the first."""
_DAYS_FROM_TEST: Final = (20, 40, 25, 10, 5)
"""The same for people without symptoms, from their test."""


def padder(seed: str, settings: PublishingSettings | None = None) -> Padder:
    """Return the padder of one run, with the default settings if none are given."""
    return Padder(
        rules=RULES,
        settings=settings or PublishingSettings(),
        window=WINDOW,
        now=WINDOW.end,
        entropy=SeededEntropy(seed),
    )


def real_upload(entropy: Entropy) -> SimulatedUpload:
    """Return what ingestion keeps of one person who uploads within the window.

    It has the type of a simulated upload, so that both can be looked at in the same way.
    """
    uploaded_at = entropy.uniform(WINDOW.start.timestamp(), WINDOW.end.timestamp())
    moment = datetime.fromtimestamp(uploaded_at, UTC)
    history = _history(interval_at(moment), entropy)
    handed_out = keys_to_hand_out(history, interval_at(moment))
    sent = newest_keys([key.tek for key in handed_out])
    diagnosis = _diagnosis(moment, entropy)
    return SimulatedUpload(tuple(keys_to_keep(sent, diagnosis, DEFAULT_INFECTIOUSNESS)), diagnosis)


def _history(now: ENIntervalNumber, entropy: Entropy) -> list[OwnKey]:
    """Return a key for each day since the App was installed, of the last fourteen and today."""
    newly_installed = entropy.uniform(0.0, 1.0) < 0.1
    days = 1 + entropy.below(13) if newly_installed else 14
    today = rolling_start_of(now)
    starts = range(today - days * TEK_ROLLING_PERIOD, today + 1, TEK_ROLLING_PERIOD)
    return [
        OwnKey(row, TemporaryExposureKey(entropy.token(16), ENIntervalNumber(start)))
        for row, start in enumerate(starts)
    ]


def _diagnosis(moment: datetime, entropy: Entropy) -> Diagnosis:
    if entropy.uniform(0.0, 1.0) < 0.2:
        return Diagnosis(None, moment.date() - _some_days(_DAYS_FROM_TEST, entropy))
    return Diagnosis(moment.date() - _some_days(_DAYS_FROM_ONSET, entropy), None)


def _some_days(shares: Sequence[int], entropy: Entropy) -> timedelta:
    """Draw a number of days, as often as its share in a hundred."""
    days = [day for day, share in enumerate(shares) for _ in range(share)]
    return timedelta(days=days[entropy.below(100)])
