"""How many of those who were warned will fall ill in the coming days, and how many will call.

A phone that warned its user reports the last risky day, with a known probability. So the number of
phones is estimated from the reports; some of their owners fall ill, an incubation period after that
day; some of these call, soon after.

Limits:
    Only phones that have warned already are counted, and only those with the App. Whoever is warned
    tomorrow is not in it: the far end of a forecast is too low while cases rise. Infection is
    assumed on the last risky day, though an earlier exposure may have been the one. Calls are those
    of the ill; who calls because of the warning itself does so before it shows in any count.

Privacy:
    Computed from counts that are shown, and from nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, reduce
from typing import Final

from immuni.dashboard.delays import incubation, one_after_the_other, waiting
from immuni.dashboard.negative_binomial import quantile
from immuni.settings import number, setting

HORIZON_DAYS: Final = 14
CONFIDENCE: Final = 0.95
"""How often a band is to hold what comes, if the settings are right."""

# Later than this hardly anybody falls ill or calls; what does is cut off.
_LONGEST_DAYS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastSettings:
    """What is assumed of the disease and of people.

    Source:
        Incubation: Lauer et al., Annals of Internal Medicine 172 (2020), doi 10.7326/M20-0504.
        Attack rate: Wymant et al., Nature 594 (2021), doi 10.1038/s41586-021-03606-z: 6 % of those
        whom the NHS COVID-19 app had notified later showed symptoms and tested positive.
        Everything else is an assumption.
    """

    forecast_incubation_median_days: float = setting(
        number(1, 21),
        default=5.06,
        meaning="Median of the log-normal incubation period in days (Lauer et al. 2020).",
    )
    forecast_incubation_dispersion: float = setting(
        number(1.05, 3),
        default=1.52,
        meaning="Geometric standard deviation of the incubation period (Lauer et al. 2020).",
    )
    forecast_attack_rate: float = setting(
        number(0.0001, 1),
        default=0.06,
        meaning="Share of notified people who are infected (Wymant et al. 2021).",
    )
    forecast_attack_rate_error: float = setting(
        number(0, 1),
        default=0.25,
        meaning="Standard error of the attack rate, relative to it (an assumption).",
    )
    forecast_symptomatic_share: float = setting(
        number(0.0001, 1),
        default=1.0,
        meaning="Share of those of the attack rate who fall ill; 1 where it counts only the ill.",
    )
    forecast_calling_share: float = setting(
        number(0.0001, 1),
        default=0.5,
        meaning="Share of the ill who call the health service (an assumption).",
    )
    forecast_calling_delay_days: float = setting(
        number(0, 14),
        default=1.0,
        meaning="Mean number of days from the first symptoms to the call (an assumption).",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifiedPeriod:
    """What is shown of the reports with exposure that came in one period, at one place.

    Attributes:
        last_day: The last day of the period; no risky day is later.
        reports: By last risky day, None where withheld; days that are left out had none.
        earlier: Reports of risky days before these, which no forecast needs.
        total: All of these together; None where withheld, and then any of them may be.
        sampling_rate: Which share of the notified phones reported; None where not known.
    """

    last_day: date
    reports: Mapping[date, int | None]
    earlier: int | None = 0
    total: int | None
    sampling_rate: float | None

    def __post_init__(self) -> None:
        left = self.withheld
        if left is not None and (left < 0 or (left and not self._hides)):
            raise ValueError("shown counts do not agree with their shown total")

    @property
    def withheld(self) -> int | None:
        """How many reports withheld counts hold together; None where nothing tells."""
        if self.total is None:
            return None
        return self.total - sum(count or 0 for count in (*self.reports.values(), self.earlier))

    @property
    def _hides(self) -> bool:
        return None in (*self.reports.values(), self.earlier)


@dataclass(frozen=True, slots=True)
class Band:
    """A number of people on one day.

    Attributes:
        low: They are at least so many, with confidence (1 + `CONFIDENCE`) / 2.
        expected: Their expectation; None where counts without a shown total are withheld.
        high: They are at most so many, as `low`; None as `expected`.
    """

    low: int
    expected: float | None
    high: int | None


@dataclass(frozen=True, slots=True)
class DayAhead:
    """What is expected of one day."""

    day: date
    onsets: Band
    calls: Band


def forecast(
    periods: Iterable[NotifiedPeriod], *, first_day: date, settings: ForecastSettings
) -> tuple[DayAhead, ...] | None:
    """Forecast `HORIZON_DAYS` days.

    A withheld count can be anything up to what the shown counts leave of the shown total, for small
    counts are hidden behind large ones. So the low end puts all that is left where it matters
    least on that day, the high end where it matters most, the expectation spreads it evenly. Where
    the total is withheld too, only the low end is known.

    Returns:
        The days in order; None where nothing is known: no period, or one that matters without a
        sampling rate.
    """
    recent = [each for each in periods if (first_day - each.last_day).days < _LONGEST_DAYS]
    if not recent or not all(each.sampling_rate for each in recent):
        return None
    onsets, calls = _weights(settings)
    error = settings.forecast_attack_rate_error
    return tuple(
        DayAhead(day, _band(recent, onsets, day, error), _band(recent, calls, day, error))
        for day in (first_day + timedelta(days=ahead) for ahead in range(HORIZON_DAYS))
    )


@cache
def _weights(settings: ForecastSettings) -> tuple[list[float], list[float]]:
    """Return which share of notified people falls ill, and calls, after 0, 1, 2… days."""
    onset = incubation(
        _LONGEST_DAYS,
        median_days=settings.forecast_incubation_median_days,
        dispersion=settings.forecast_incubation_dispersion,
    )
    delay = waiting(_LONGEST_DAYS, mean_days=settings.forecast_calling_delay_days)
    ill = settings.forecast_attack_rate * settings.forecast_symptomatic_share
    call = ill * settings.forecast_calling_share
    return (
        [ill * share for share in onset],
        [call * share for share in one_after_the_other(onset, delay)],
    )


@dataclass(frozen=True, slots=True)
class _Moments:
    """Mean and variance of the expected number of people; sums of independent ones add up."""

    mean: float = 0
    variance: float = 0

    def __add__(self, other: "_Moments") -> "_Moments":
        return _Moments(self.mean + other.mean, self.variance + other.variance)

    def quantile(self, probability: float, error: float) -> int:
        """Return a quantile of the people, where the share of the ill has a relative error."""
        variance = self.variance + error**2 * (self.mean**2 + self.variance)
        return quantile(probability, mean=self.mean, variance=variance)


def _of_reports(reports: float, weight: float, rate: float) -> _Moments:
    """Return the moments of `weight` times the phones behind reports.

    Phones that did not report, before the next one that does, are geometric: the number of phones
    behind n reports is n plus a negative binomial of n.
    """
    per_report = weight / rate
    return _Moments(per_report * reports, per_report**2 * reports * (1 - rate))


def _band(
    periods: Sequence[NotifiedPeriod], weights: Sequence[float], day: date, error: float
) -> Band:
    """Return the people of one day, if `weights` fall ill 0, 1, 2… days after an exposure.

    Source:
        Fay and Feuer, "Confidence intervals for directly standardized rates", Statistics in
        Medicine 16 (1997): the high end counts one report more, where it weighs most.
    """
    parts = [_part(period, weights, day) for period in periods]
    low = _sum(part.shown + part.least for part in parts)
    tail = (1 - CONFIDENCE) / 2
    if any(part.most is None or part.even is None for part in parts):
        return Band(low.quantile(tail, error), None, None)
    high = _sum(part.shown + (part.most or _Moments()) for part in parts)
    high += max((part.next_one for part in parts), key=lambda moments: moments.mean)
    expected = sum(part.shown.mean + (part.even or 0) for part in parts)
    return Band(low.quantile(tail, error), expected, high.quantile(1 - tail, error))


@dataclass(frozen=True, slots=True)
class _Part:
    """What one period adds to a day: by shown counts, and by withheld ones."""

    shown: _Moments
    least: _Moments
    even: float | None
    most: _Moments | None
    next_one: _Moments


def _part(period: NotifiedPeriod, weights: Sequence[float], day: date) -> _Part:
    rate = period.sampling_rate or 1  # not known ones do not come here
    weight = {on: _weight(weights, (day - on).days) for on in period.reports}
    shown = _sum(
        _of_reports(count, weight[on], rate)
        for on, count in period.reports.items()
        if count is not None
    )
    hidden = [weight[on] for on, count in period.reports.items() if count is None]
    hidden += [0.0] * (period.earlier is None)
    rest = period.withheld
    heaviest = max(weights[max(0, (day - period.last_day).days) :], default=0)
    one_more = _of_reports(1, heaviest, rate)
    next_one = _Moments(one_more.mean * (1 - rate), one_more.variance)
    if rest is None:
        return _Part(shown, _Moments(), None, None, next_one)
    if not hidden:
        return _Part(shown, _Moments(), 0, _Moments(), next_one)
    least, most = (_of_reports(rest, each, rate) for each in (min(hidden), max(hidden)))
    return _Part(shown, least, rest * sum(hidden) / len(hidden) / rate, most, next_one)


def _weight(weights: Sequence[float], age_days: int) -> float:
    return weights[age_days] if 0 <= age_days < len(weights) else 0


def _sum(moments: Iterable[_Moments]) -> _Moments:
    return reduce(_Moments.__add__, moments, _Moments())
