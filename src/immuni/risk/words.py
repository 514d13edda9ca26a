"""Why an exposure scores what it scores, in words for people."""

from fractions import Fraction
from typing import Final

from immuni.risk.buckets import Bucket
from immuni.risk.scores import ExposureExplanation, Factor
from immuni.risk.window_scores import TimeInRange, WindowExplanation

_ATTENUATION: Final = "signal lost on the way, less when near"
_TRANSMISSION_RISK: Final = "Transmission risk level (how infectious the other was)"


def in_words(explanation: ExposureExplanation | WindowExplanation) -> tuple[str, ...]:
    """Return sentences that lead from what was measured to the score.

    Privacy:
        They say no more than `explanation`.
    """
    match explanation:
        case ExposureExplanation():
            return _exposure_in_words(explanation)
        case WindowExplanation():
            return _window_in_words(explanation)


def _exposure_in_words(exposure: ExposureExplanation) -> tuple[str, ...]:
    scores = " · ".join(str(factor.score) for factor in exposure.factors)
    return (
        _factor(f"Mean attenuation ({_ATTENUATION})", exposure.attenuation, " dB"),
        _factor("Days since the exposure", exposure.days),
        _factor("Duration", exposure.duration, " min"),
        _transmission_risk(exposure.transmission_risk),
        f"Together: {scores} = {exposure.product}.",
        _exposure_verdict(exposure),
    )


def _factor(name: str, factor: Factor, unit: str = "") -> str:
    measured = f"{_number(factor.value)}{unit}"
    inside = measured if factor.bucket is None else _placed(measured, factor.bucket, unit)
    return f"{name}: {inside}, scores {factor.score}."


def _placed(measured: str, bucket: Bucket, unit: str) -> str:
    """Return the value and the limits of its bucket, as ``55 dB (above 51 dB, up to 63 dB)``."""
    words = ("from", "below") if bucket.begins_at_lower else ("above", "up to")
    limits = zip(words, (bucket.lower, bucket.upper), strict=True)
    told = ", ".join(f"{word} {limit}{unit}" for word, limit in limits if limit is not None)
    return f"{measured} ({told})"


def _transmission_risk(factor: Factor) -> str:
    if factor.value == 0:
        return f"{_TRANSMISSION_RISK}: unknown, so it does not weigh, scores {factor.score}."
    return _factor(_TRANSMISSION_RISK, factor, " of 8")


def _exposure_verdict(exposure: ExposureExplanation) -> str:
    least, score = exposure.minimum_risk_score, exposure.total_risk_score
    if exposure.product < least:
        return f"That is below the minimum of {least}, so the Total Risk Score is 0."
    return f"That reaches the minimum of {least}, so the Total Risk Score is {score}."


def _window_in_words(window: WindowExplanation) -> tuple[str, ...]:
    duration = _number(window.weighted_duration_seconds)
    reported = _number(window.report_type_weight)
    infectious = _number(window.infectiousness_weight)
    return (
        *(_time(time) for time in window.times if time.seconds),
        f"Weighted duration: {duration} s.",
        f"Report type {window.report_type.name}: weighs {reported}.",
        f"Infectiousness {window.infectiousness.name}: weighs {infectious}.",
        f"Together: {duration} · {reported} · {infectious} = {_number(window.score)}.",
        _window_verdict(window),
    )


def _time(time: TimeInRange) -> str:
    limits = (("above", time.above_db), ("up to", time.at_most_db))
    told = ", ".join(f"{word} {limit} dB" for word, limit in limits if limit is not None)
    return (
        f"{time.closeness.capitalize()} (attenuation {told}): {time.seconds} s · "
        f"{_number(time.weight)} = {_number(time.weighted_seconds)} s."
    )


def _window_verdict(window: WindowExplanation) -> str:
    if window.is_too_long_ago:
        return (
            f"It was {window.days_since_exposure} days ago, and more than "
            f"{window.days_since_exposure_threshold} are too many: the window does not count."
        )
    if window.score == 0:
        return "What scores 0 does not count."
    if not window.counts:
        return f"That is below {_number(window.minimum_window_score)}: the window does not count."
    return "The window counts: its score is part of its day's sum."


def _number(value: float | Fraction) -> str:
    """Return a number without digits that say nothing: 20, 0.625."""
    return f"{float(value):.15g}"
