"""Where notified phones rose from one period to the next, by more than chance would have it.

A place is warned of when both hold: its notified phones per day rose by a share that is
configurable, and had they not risen at all, counts like these would be rare.

How rare is decided for all places together, by the procedure of Benjamini and Hochberg. While the
country is steady, the probability of any warning at all is at most `early_warning_level`; while
some places rise, at most that share of the warnings is false on average. Holm's procedure would
promise the former always, but finds less just when many places rise at once: when it matters.

What is withheld is not known: never a rise, never the absence of one. A place of which nothing is
known counts among the places like any other, so that withholding cannot make chance look rare.

Limits:
    Phones that one infected person got notified come together; they are allowed for by
    `early_warning_companions`. Infected people who come together, as after a feast, are not chance
    but a rise. A phone reports once a month, so the first period of a month counts phones that the
    last one of the month before could count no more.

Privacy:
    Computed from counts that are shown, and from nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, exp, floor, lgamma, log, log1p
from typing import Final

from immuni.settings import number, setting

_NEGLIGIBLE: Final = 1e-18


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyWarningSettings:
    """When a rise is worth a warning."""

    early_warning_rise: float = setting(
        number(0, 100),
        default=0.5,
        meaning="By which share notified phones per day must have risen; 0.5 is half as many more.",
    )
    early_warning_level: float = setting(
        number(0.0001, 0.5),
        default=0.05,
        meaning="How probable any warning may be, for all places together, while nothing changes.",
    )
    early_warning_companions: float = setting(
        number(0, 100),
        default=4.0,
        meaning="How many others are notified with a notified phone, by the same infected person.",
    )


@dataclass(frozen=True, slots=True)
class PeriodCount:
    """The reports of notified phones of one place in one period.

    Attributes:
        reports: Their number; None where withheld.
        days: Length of the period.
        sampling_rate: Which share of the notified phones reported; None where not known.
    """

    reports: int | None
    days: int
    sampling_rate: float | None


@dataclass(frozen=True, slots=True)
class Change:
    """One place, in a period and the one after it."""

    place: str
    before: PeriodCount
    after: PeriodCount


class Verdict(StrEnum):
    """What is said of a place."""

    RISE = "rise"
    NO_RISE = "no-rise"
    NOT_KNOWN = "not-known"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said of a place, and why.

    Attributes:
        rise: By which share notified phones per day changed: 1 is twice as many, −1 none any more.
            None where not known, and where there were none before.
        probability: Of such a rise, or a greater one, by chance at this one place; None where not
            known.
    """

    place: str
    verdict: Verdict
    rise: float | None = None
    probability: float | None = None


def early_warning(changes: Iterable[Change], settings: EarlyWarningSettings) -> list[Finding]:
    """Judge places that are looked at together, say all provinces, in their order.

    Source:
        Benjamini and Hochberg, "Controlling the false discovery rate", Journal of the Royal
        Statistical Society B 57 (1995).
    """
    looked_at = [_look(change, settings.early_warning_companions) for change in changes]
    counting = [
        finding.probability
        for finding in looked_at
        if finding.probability is not None and _is_steep(finding, settings.early_warning_rise)
    ]
    limit = _limit(counting, places=len(looked_at), level=settings.early_warning_level)
    return [_judged(finding, limit, settings.early_warning_rise) for finding in looked_at]


def _limit(probabilities: Sequence[float], *, places: int, level: float) -> float:
    """Return the greatest probability that still warns, −1 where none does.

    The places whose probability is not here count as if it were 1.
    """
    ranked = enumerate(sorted(probabilities), start=1)
    return max((each for rank, each in ranked if each <= level * rank / places), default=-1)


def _judged(finding: Finding, limit: float, least_rise: float) -> Finding:
    if finding.probability is None:
        return finding
    is_rise = finding.probability <= limit and _is_steep(finding, least_rise)
    verdict = Verdict.RISE if is_rise else Verdict.NO_RISE
    return Finding(finding.place, verdict, finding.rise, finding.probability)


def _is_steep(finding: Finding, least_rise: float) -> bool:
    """Whether it rose by the share; from nothing to something is more than any share."""
    return finding.rise is None or finding.rise >= least_rise


def _look(change: Change, companions: float) -> Finding:
    before, after = change.before, change.after
    if before.reports is None or after.reports is None:
        return Finding(change.place, Verdict.NOT_KNOWN)
    if not before.sampling_rate or not after.sampling_rate:
        return Finding(change.place, Verdict.NOT_KNOWN)
    # What a report stands for, per day: reports would divide as these do if nothing changed.
    seen_before = before.days * before.sampling_rate
    seen_after = after.days * after.sampling_rate
    share = seen_after / (seen_before + seen_after)
    # Phones that come in groups tell as much as fewer that come alone.
    group = 1 + companions * max(before.sampling_rate, after.sampling_rate)
    fewer_after, fewer_before = floor(after.reports / group), ceil(before.reports / group)
    if not before.reports:
        rise = None if after.reports else 0.0
    else:
        rise = after.reports * seen_before / (before.reports * seen_after) - 1
    probability = at_least(fewer_after, of=fewer_before + fewer_after, share=share)
    return Finding(change.place, Verdict.NO_RISE, rise, probability)


def at_least(count: int, *, of: int, share: float) -> float:
    """Return the probability that a binomial count is at least `count`.

    Complexity:
        Linear in `of` at worst; of large ones, some hundreds of terms about `count` decide.

    Source:
        Przyborowski and Wilenski, "Homogeneity of results in testing samples from Poisson series",
        Biometrika 31 (1940): given their sum, one of two Poisson counts is binomial.
    """
    if count <= of * share:
        return 1 - _tail(of - count + 1, of, 1 - share) if count else 1.0
    return _tail(count, of, share)


def _tail(count: int, of: int, share: float) -> float:
    """Return the same, of a count that is not below the mean: the terms fall from there on."""
    if count > of:
        return 0.0
    choices = lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)
    term = exp(choices + count * log(share) + (of - count) * log1p(-share))
    total = 0.0
    for successes in range(count, of + 1):
        total += term
        if term <= _NEGLIGIBLE * total:
            break
        term *= (of - successes) / (successes + 1) * share / (1 - share)
    return min(1.0, total)
