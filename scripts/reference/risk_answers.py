"""What ``immuni risk`` prints with ``--json``."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from scripts.reference.running import run
from scripts.reference.told import Answer, Told

_BUCKET: Final = {
    "bucket": "place of its bucket among the eight of the parameter, from 0",
    "lower": "lower limit of the bucket, or null",
    "upper": "upper limit of the bucket, or null",
    "score": "score of the bucket, 0..8",
}
_FACTORS: Final = {
    "attenuation_db.value": "mean attenuation",
    **{f"attenuation_db.{name}": meaning for name, meaning in _BUCKET.items()},
    "days.value": "UTC days since the exposure",
    **{f"days.{name}": meaning for name, meaning in _BUCKET.items()},
    "minutes.value": "duration, in steps of five minutes",
    **{f"minutes.{name}": meaning for name, meaning in _BUCKET.items()},
    "transmission_risk_level.value": "level, 0..8; 0 is unknown",
    "transmission_risk_level.score": "its score, 0..8; 1 for level 0",
}
RISK: Final[Mapping[str, Told]] = {
    "risk explain": Told(
        exit_codes={1: "there is no such preset, or the file was refused"},
        answers=(
            Answer(
                partial(
                    run,
                    *("risk", "explain", "--attenuation-db", "55", "--minutes", "20"),
                    *("--days", "3", "--level", "4", "--json"),
                ),
                {
                    "model": "`v1`",
                    "preset": "name of the preset, or the file",
                    **_FACTORS,
                    "product": "of the four scores, 0..4096",
                    "minimum_risk_score": "a product below it scores 0",
                    "total_risk_score": "Total Risk Score",
                    "warning_score": "Total Risk Score from which the deployment warned; null "
                    "where it decided otherwise, and for a file",
                    "words[]": "the same in sentences, for people; may change",
                },
                when="For a preset of the v1 model, or a file",
            ),
            Answer(
                partial(
                    run,
                    *("risk", "explain", "--attenuation-db", "55", "--minutes", "20"),
                    *("--days", "3", "--days-since-onset", "2", "--preset", "koronavilkku"),
                    "--json",
                ),
                {
                    "model": "`v2`",
                    "preset": "name of the preset",
                    "times[].closeness": "range of attenuation: `immediate`, `near`, `medium` or "
                    "`other`",
                    "times[].above_db": "its lower limit, which does not belong to it; or null",
                    "times[].at_most_db": "its upper limit, which does; or null",
                    "times[].seconds": "time in it",
                    "times[].weight": "weight of it, 0..2.5",
                    "times[].weighted_seconds": "their product",
                    "weighted_duration_seconds": "sum of these",
                    "report_type": "how the diagnosis became known",
                    "report_type_weight": "its weight, 0..2.5",
                    "infectiousness": "`NONE`, `STANDARD` or `HIGH`",
                    "infectiousness_weight": "its weight, 0..2.5",
                    "score": "weighted duration times both weights",
                    "minimum_window_score": "a window that scores less does not count",
                    "days_since_exposure": "days since the exposure",
                    "days_since_exposure_threshold": "a window longer ago does not count; 0 sets "
                    "no limit",
                    "counts": "whether the window is part of its day's summary",
                    "warning_score": "sum of a day's scores from which the deployment warned",
                    "words[]": "the same in sentences, for people; may change",
                },
                when="For a preset of the v2 model",
            ),
        ),
    ),
    "risk presets": Told(
        answers=(
            Answer(
                partial(run, "risk", "presets", "--json"),
                {
                    "[].name": "name, as `risk explain` takes it",
                    "[].model": "`v1` or `v2`",
                    "[].deployment": "whose numbers they are",
                    "[].warning_score": "score from which it warned: of an exposure in v1, of a "
                    "day in v2; null where it decided otherwise",
                    "[].configuration.*": "parameter of the model that is a number",
                    "[].configuration.*[]": "parameter that is a list; in v1 the object is the "
                    "setting `exposure_configuration`",
                    "[].configuration.*.*": "parameter that is a weight of a report type or of a "
                    "degree of infectiousness",
                    "[].mapping": "in v1 null",
                    "[].mapping.*": "what counts where a key does not tell",
                    "[].mapping.*.*": "day from the onset of symptoms to infectiousness; days that "
                    "are left out are not infectious",
                    "[].source": "where the numbers are published",
                },
            ),
        ),
    ),
}
