"""Settings that are allowed, and that nobody should publish without having thought twice."""

from collections.abc import Iterable, Iterator, Sequence
from math import prod

from immuni.api import ConfigurationSettings, Platform, read_settings
from immuni.backend.configuration.rules import SettingEntry, resolve

_DAY_SECONDS = 86_400


def new_dangers(before: Sequence[SettingEntry], after: Sequence[SettingEntry]) -> list[str]:
    """Return what publishing `after` over `before` would do to phones, each in one sentence.

    What is in force already is not told again.
    """
    known = set(dangers(before))
    return [each for each in dangers(after) if each not in known]


def dangers(entries: Sequence[SettingEntry]) -> list[str]:
    """Return what `entries` do to phones that must be meant, for each build that they name."""
    found = []
    for platform in Platform:
        told: set[str] = set()
        for build in _first_builds(entries, platform):
            values = resolve(entries, platform=platform, build=build)
            for danger in _dangers_of(read_settings(values).settings):
                if danger not in told:
                    found.append(f"{platform} from build {build}: {danger}")
                    told.add(danger)
    return found


def _first_builds(entries: Iterable[SettingEntry], platform: Platform) -> list[int]:
    return sorted({each.starting_build for each in entries if each.platform is platform})


def _dangers_of(settings: ConfigurationSettings) -> Iterator[str]:
    if settings.service_end_date is not None:
        yield f"the service ends on {settings.service_end_date}"
    if settings.minimum_build_version > 1:
        yield f"builds below {settings.minimum_build_version} detect no more until they are updated"
    if _highest_score(settings) < settings.exposure_info_minimum_risk_score:
        yield "no contact can reach the score that warns: nobody is warned any more"
    if settings.exposure_detection_period > _DAY_SECONDS:
        yield "phones look for contacts less than once a day"
    if settings.operational_info_without_exposure_sampling_rate == 1:
        yield "every phone sends Operational Info, whether it was at risk or not"
    if settings.dummy_teks_request_probabilities[0] == 0:
        yield "phones send no dummy uploads: a genuine one stands out on the line"


def _highest_score(settings: ConfigurationSettings) -> int:
    model = settings.exposure_configuration
    highest = prod(
        max(scores)
        for scores in (
            model.attenuation_bucket_scores,
            model.days_since_last_exposure_bucket_scores,
            model.duration_bucket_scores,
            model.transmission_risk_bucket_scores,
        )
    )
    return highest if highest >= model.minimum_risk_score else 0
