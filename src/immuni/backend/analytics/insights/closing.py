"""A day is over: what is shown of it, of its period and of its month."""

from immuni.api import Territory
from immuni.backend.analytics.insights.breakdowns import decide_breakdowns
from immuni.backend.analytics.insights.by_place import ByPlace
from immuni.backend.analytics.insights.counts import UPLOADED, MonthCounts, total_by
from immuni.backend.analytics.insights.figures import Ledger, Subject
from immuni.backend.analytics.insights.nationals import NOTIFIED, decide_nationals
from immuni.backend.analytics.insights.periods import ends_month, ends_period
from immuni.backend.analytics.insights.risky_days import decide_risky_days
from immuni.backend.analytics.insights.trees import place_tree


def close_day(
    ledger: Ledger, counts: MonthCounts, *, territory: Territory, k_anonymity: int
) -> None:
    """Enter everything that can be shown since a day is over.

    Args:
        ledger: Holds what was decided of the month's earlier days.
        counts: Those of the month until the day, which is the last of them.
        territory: What can be a province.
        k_anonymity: The smallest count, other than 0, that is shown.
    """
    decide_nationals(ledger, counts, k_anonymity=k_anonymity)
    day = counts.days[-1]
    if not ends_period(day):
        return
    seen = {key.province for key in counts.reports} | {key.province for key in counts.uploads}
    places = place_tree(territory, seen)
    for by_place in _by_place(counts):
        by_place.decide(ledger, counts, places, k_anonymity=k_anonymity)
    decide_risky_days(ledger, counts, places, k_anonymity=k_anonymity)
    if ends_month(day):
        decide_breakdowns(ledger, counts, places, k_anonymity=k_anonymity)


def _by_place(counts: MonthCounts) -> list[ByPlace]:
    notified = total_by(
        ((key.day, key.province), count)
        for key, count in counts.reports.items()
        if key.kind == NOTIFIED
    )
    uploaded = total_by(((key.day, key.province), count) for key, count in counts.uploads.items())
    return [
        ByPlace(Subject.NOTIFIED, NOTIFIED, notified),
        ByPlace(Subject.CODES, UPLOADED, uploaded),
    ]
