"""What ``immuni risk`` prints for machines."""

from typing import Any

from immuni.risk import (
    DailySummariesPreset,
    ExposureExplanation,
    ExposurePreset,
    Factor,
    Preset,
    TimeInRange,
    WindowExplanation,
    in_words,
)

_Json = dict[str, Any]


def model_of(preset: Preset) -> str:
    """Return the version of the model that a preset is for."""
    match preset:
        case ExposurePreset():
            return "v1"
        case DailySummariesPreset():
            return "v2"


def exposure_answer(explanation: ExposureExplanation, chosen: ExposurePreset) -> _Json:
    """Return the explanation of an exposure."""
    return {
        "model": model_of(chosen),
        "preset": chosen.name,
        "attenuation_db": _factor(explanation.attenuation),
        "days": _factor(explanation.days),
        "minutes": _factor(explanation.duration),
        "transmission_risk_level": _factor(explanation.transmission_risk),
        "product": explanation.product,
        "minimum_risk_score": explanation.minimum_risk_score,
        "total_risk_score": explanation.total_risk_score,
        "warning_score": chosen.warning_score,
        "words": list(in_words(explanation)),
    }


def window_answer(explanation: WindowExplanation, chosen: DailySummariesPreset) -> _Json:
    """Return the explanation of a window."""
    return {
        "model": model_of(chosen),
        "preset": chosen.name,
        "times": [_time(time) for time in explanation.times],
        "weighted_duration_seconds": float(explanation.weighted_duration_seconds),
        "report_type": explanation.report_type.name,
        "report_type_weight": float(explanation.report_type_weight),
        "infectiousness": explanation.infectiousness.name,
        "infectiousness_weight": float(explanation.infectiousness_weight),
        "score": float(explanation.score),
        "minimum_window_score": float(explanation.minimum_window_score),
        "days_since_exposure": explanation.days_since_exposure,
        "days_since_exposure_threshold": explanation.days_since_exposure_threshold,
        "counts": explanation.counts,
        "warning_score": chosen.warning_score,
        "words": list(in_words(explanation)),
    }


def preset_answer(preset: Preset) -> _Json:
    """Return a preset, its parameters in the form of a setting."""
    mapping = preset.mapping.to_setting() if isinstance(preset, DailySummariesPreset) else None
    return {
        "name": preset.name,
        "model": model_of(preset),
        "deployment": preset.deployment,
        "warning_score": preset.warning_score,
        "configuration": preset.configuration.to_setting(),
        "mapping": mapping,
        "source": preset.source,
    }


def _factor(factor: Factor) -> _Json:
    value = int(factor.value)
    if factor.bucket is None:
        return {"value": value, "score": factor.score}
    bucket = {"lower": factor.bucket.lower, "upper": factor.bucket.upper}
    return {"value": value, "bucket": factor.bucket.index, **bucket, "score": factor.score}


def _time(time: TimeInRange) -> _Json:
    return {
        "closeness": time.closeness.value,
        "above_db": time.above_db,
        "at_most_db": time.at_most_db,
        "seconds": time.seconds,
        "weight": float(time.weight),
        "weighted_seconds": float(time.weighted_seconds),
    }
