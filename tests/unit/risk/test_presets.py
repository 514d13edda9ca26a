"""The configurations of deployments, and finding them."""

from datetime import timedelta

import pytest

from immuni.keys import ReportType
from immuni.risk import (
    IMMUNI_DEFAULT,
    PRESETS,
    DailySummariesPreset,
    ExposurePreset,
    Infectiousness,
    UnknownPresetError,
    preset,
    total_risk_score,
)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_found_by_its_name_and_says_where_it_comes_from(name: str) -> None:
    assert preset(name).name == name
    assert preset(name).deployment
    assert "/" in preset(name).source


def test_immuni_is_the_default() -> None:
    found = preset("immuni")

    assert found.configuration is IMMUNI_DEFAULT
    assert found.warning_score == 20


@pytest.mark.parametrize(
    ("attenuation_db", "minutes", "level", "score"),
    [(73, 15, 8, 80), (74, 15, 8, 0), (73, 10, 8, 0), (0, 35, 3, 30), (0, 35, 2, 0)],
)
def test_the_corona_warn_app_scored_by_its_published_tables(
    attenuation_db: int, minutes: int, level: int, score: int
) -> None:
    found = preset("corona-warn-app")
    assert isinstance(found, ExposurePreset)

    assert score == total_risk_score(
        found.configuration,
        attenuation_db=attenuation_db,
        days_since_exposure=0,
        duration=timedelta(minutes=minutes),
        transmission_risk_level=level,
    )


def test_koronavilkku_counted_confirmed_tests_from_two_days_before_the_onset_to_ten_after() -> None:
    found = preset("koronavilkku")
    assert isinstance(found, DailySummariesPreset)

    degrees = [found.mapping.infectiousness(day) for day in range(-14, 15)]
    weights = found.configuration.report_type_weights

    none, high, standard = (
        [degree] * count
        for degree, count in (
            (Infectiousness.NONE, 12),
            (Infectiousness.HIGH, 10),
            (Infectiousness.STANDARD, 3),
        )
    )
    assert degrees == none + high + standard + none[:4]
    assert [kind for kind, weight in weights.items() if weight] == [ReportType.CONFIRMED_TEST]


def test_an_unknown_name_is_refused_with_those_that_are_near() -> None:
    with pytest.raises(UnknownPresetError, match="did you mean immuni") as caught:
        preset("Imuni")

    assert caught.value.near == ("immuni",)


def test_a_name_like_no_other_is_refused_with_all_there_are() -> None:
    with pytest.raises(UnknownPresetError, match="want immuni, corona-warn-app, koronavilkku"):
        preset("xyz")
