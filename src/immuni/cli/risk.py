"""``immuni risk``: why an exposure scores what it scores, and what deployments chose."""

from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table

from immuni.cli.console import JsonOption, console, print_json
from immuni.cli.risk_answers import exposure_answer, model_of, preset_answer, window_answer
from immuni.cli.risk_files import read_exposure_configuration
from immuni.crypto import CalibrationConfidence
from immuni.keys import ReportType
from immuni.risk import (
    LONGEST_WINDOW,
    MOST_SECONDS_SINCE_LAST_SCAN,
    PRESETS,
    SHORTEST_EXPOSURE,
    DailySummariesPreset,
    ExposureExplanation,
    ExposurePreset,
    ExposureWindow,
    Preset,
    ScanInstance,
    UnknownPresetError,
    WindowExplanation,
    explain_exposure,
    explain_window,
    in_steps,
    in_words,
    preset,
)

app = typer.Typer(no_args_is_help=True, help="Explain scores, and compare risk configurations.")

_ANY_DAY: Final = date(2020, 6, 17)
_DEFAULT_PRESET: Final = "immuni"
_MINUTE: Final = timedelta(minutes=1)
_REPORTED: Final = (
    ReportType.CONFIRMED_TEST.name,
    ReportType.CONFIRMED_CLINICAL_DIAGNOSIS.name,
    ReportType.SELF_REPORT.name,
)


@app.callback()
def group() -> None:
    """Explain scores, and compare risk configurations."""


@app.command(
    epilog="Example: immuni risk explain --attenuation-db 55 --minutes 20 --days 3 --level 4"
)
def explain(  # noqa: PLR0913 - options, each of which has its name
    *,
    attenuation_db: Annotated[
        int, typer.Option(min=0, max=255, help="Mean attenuation.", metavar="DB")
    ],
    minutes: Annotated[int, typer.Option(min=1, max=1440, help="How long it lasted.")],
    days: Annotated[int, typer.Option(min=0, max=365, help="UTC days since then.")] = 0,
    level: Annotated[
        int | None,
        typer.Option(
            min=0, max=8, metavar="N", help="Transmission risk level; unknown if left out."
        ),
    ] = None,
    days_since_onset: Annotated[
        int | None,
        typer.Option(min=-14, max=14, metavar="N", help="Model v2: days from onset to meeting."),
    ] = None,
    report_type: Annotated[
        str | None,
        typer.Option(metavar="TYPE", help="Model v2: how the diagnosis became known."),
    ] = None,
    preset_name: Annotated[
        str | None,
        typer.Option(
            "--preset", help="A name that `immuni risk presets` lists; immuni by default."
        ),
    ] = None,
    configuration: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="In place of a preset: JSON file with the v1 parameters.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Explain what an exposure scores, factor by factor.

    The preset decides the model. In v1 an exposure lasts a multiple of five
    minutes; in v2 it is one window of at most 30 minutes. Report types are
    CONFIRMED_TEST, CONFIRMED_CLINICAL_DIAGNOSIS and SELF_REPORT.

    JSON: the factors with value, bucket and score, and words (sentences).
    """
    chosen = _chosen(preset_name, configuration)
    if isinstance(chosen, DailySummariesPreset):
        _refuse(level is not None, "--level is for the v1 model")
        window = _window(chosen, attenuation_db, minutes, days_since_onset, report_type)
        told = explain_window(window, chosen.configuration, today=_ANY_DAY + timedelta(days=days))
        score = told.score if told.counts else 0
        _tell(told, window_answer(told, chosen), _verdict(chosen, score), json=json)
    else:
        _refuse(days_since_onset is not None, "--days-since-onset is for the v2 model")
        _refuse(report_type is not None, "--report-type is for the v2 model")
        duration = _duration(minutes)
        if duration != minutes * _MINUTE and not json:
            console.print(f"{minutes} min count as {duration // _MINUTE} min.")
        scored = explain_exposure(
            chosen.configuration,
            attenuation_db=attenuation_db,
            days_since_exposure=days,
            duration=duration,
            transmission_risk_level=level or 0,
        )
        verdict = _verdict(chosen, scored.total_risk_score)
        _tell(scored, exposure_answer(scored, chosen), verdict, json=json)


@app.command(epilog="Example: immuni risk presets --json")
def presets(*, json: JsonOption = False) -> None:
    """List the risk configurations of real deployments, and where they were published.

    JSON: a list of name, model, deployment, warning_score, configuration,
    mapping and source.
    """
    if json:
        print_json([preset_answer(each) for each in PRESETS.values()])
        return
    table = Table("name", "model", "warns from", "deployment")
    for each in PRESETS.values():
        table.add_row(each.name, model_of(each), _warning(each), each.deployment)
    console.print(table)
    for each in PRESETS.values():
        console.print(f"{each.name} is published in {each.source}.", markup=False)


def _chosen(name: str | None, configuration: Path | None) -> Preset:
    if configuration is not None:
        _refuse(name is not None, "--configuration takes the place of --preset: give one of them")
        return _read_preset(configuration)
    try:
        return preset(name or _DEFAULT_PRESET)
    except UnknownPresetError as error:
        raise typer.BadParameter(str(error)) from error


def _duration(minutes: int) -> timedelta:
    """Return how long an exposure lasts in the v1 model that lasts so many minutes in truth."""
    return max(in_steps(minutes * _MINUTE), SHORTEST_EXPOSURE)


def _read_preset(path: Path) -> ExposurePreset:
    return ExposurePreset(
        name=str(path),
        deployment=str(path),
        configuration=read_exposure_configuration(path),
        warning_score=None,
        source=str(path),
    )


def _refuse(given: bool, reason: str) -> None:  # noqa: FBT001 - reads as an assertion
    if given:
        raise typer.BadParameter(reason)


def _window(
    chosen: DailySummariesPreset,
    attenuation_db: int,
    minutes: int,
    days_since_onset: int | None,
    report_type: str | None,
) -> ExposureWindow:
    """Return the window of a meeting: a scan every five minutes, and one for the rest."""
    _refuse(minutes * _MINUTE > LONGEST_WINDOW, "in the v2 model a window has at most 30 minutes")
    reported = (report_type or _REPORTED[0]).upper()
    _refuse(reported not in _REPORTED, f"--report-type must be {', '.join(_REPORTED)}")
    scans, rest = divmod(60 * minutes, MOST_SECONDS_SINCE_LAST_SCAN)
    seconds = [MOST_SECONDS_SINCE_LAST_SCAN] * scans + [rest] * bool(rest)
    return ExposureWindow(
        day=_ANY_DAY,
        report_type=ReportType[reported],
        infectiousness=chosen.mapping.infectiousness(days_since_onset),
        calibration_confidence=CalibrationConfidence.HIGH,
        scan_instances=tuple(
            ScanInstance(
                typical_attenuation_db=attenuation_db,
                minimum_attenuation_db=attenuation_db,
                seconds_since_last_scan=each,
            )
            for each in seconds
        ),
    )


def _tell(
    explanation: ExposureExplanation | WindowExplanation,
    answer: object,
    verdict: str,
    *,
    json: bool,
) -> None:
    if json:
        print_json(answer)
        return
    for sentence in in_words(explanation):
        console.print(sentence, markup=False)
    console.print(verdict, markup=False)


def _verdict(chosen: Preset, score: Fraction | int) -> str:
    """Return whether a deployment would warn, in words."""
    if chosen.warning_score is None:
        return f"{chosen.name} sets no score from which to warn: the App decides."
    reached = score >= chosen.warning_score
    beginning = f"{chosen.name} warns from {_warning(chosen)}"
    match chosen:
        case ExposurePreset():
            return f"{beginning}, so it {'warns' if reached else 'does not warn'}."
        case DailySummariesPreset():
            alone = "reaches" if reached else "does not reach"
            return f"{beginning}, which this window alone {alone}."


def _warning(chosen: Preset) -> str:
    """Return from which score a deployment warns, in words."""
    match chosen:
        case ExposurePreset(warning_score=None):
            return "what its App decides"
        case ExposurePreset():
            return f"a Total Risk Score of {chosen.warning_score}"
        case DailySummariesPreset():
            return f"a day's sum of {chosen.warning_score}"
