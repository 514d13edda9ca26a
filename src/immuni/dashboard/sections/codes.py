"""From the code that an operator authorises to the warning on somebody's phone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from immuni.dashboard.figures import Breakdown, Figures, FigureTable, Span, Subject
from immuni.dashboard.months import Month
from immuni.dashboard.plots.rows import Row, bar_rows
from immuni.dashboard.sections.activity import national
from immuni.dashboard.words import about, between, exactly, share

UPLOADED: Final = "uploaded"
_STEPS: Final = (
    ("authorised", "Codes that operators authorised"),
    ("checked", "Codes that a phone checked"),
    ("uploaded", "Codes used to upload keys"),
)
_ONSETS: Final = (
    ("0-2", "0 to 2 days before"),
    ("3-5", "3 to 5 days before"),
    ("6-9", "6 to 9 days before"),
    ("10+", "10 days or more"),
    ("none", "no symptoms"),
)
_EXPOSURES: Final = (
    ("warned", "warned"),
    ("matched", "contact, no risk"),
    ("nothing", "no contact"),
)
_DELAYS: Final = (
    ("<30s", "under 30 s"),
    ("30-60s", "30 to 60 s"),
    ("60-90s", "60 to 90 s"),
    ("90-120s", "90 to 120 s"),
    ("120-150s", "120 to 150 s"),
    (">150s", "over 150 s"),
)
_IN_TIME: Final = ("<30s", "30-60s", "60-90s")


@dataclass(frozen=True, slots=True)
class Breakdowns:
    """Uploads told apart in one way: a sentence and its rows."""

    headline: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Codes:
    """What is said of codes and uploads.

    Attributes:
        headline: The sentence above.
        steps: From authorised codes to uploads.
        outcome: What came of the uploads: a number and what it counts.
        onset: Uploads by the first symptoms.
        exposure: Uploads by what the phone had found before.
        delay: Uploads by the time from the code to the upload.
    """

    headline: str
    steps: Sequence[Row]
    outcome: Sequence[tuple[str, str]]
    onset: Breakdowns
    exposure: Breakdowns
    delay: Breakdowns


def codes(figures: Figures, month: Month) -> Codes:
    """Put it together."""
    funnel = figures.of_month(month, Subject.CODES)
    return Codes(
        headline=_headline(funnel, month),
        steps=_steps(funnel),
        outcome=_outcome(figures, month),
        onset=_onset(figures, month),
        exposure=_exposure(figures, month),
        delay=_delay(figures, month),
    )


def _headline(funnel: FigureTable | None, month: Month) -> str:
    if funnel is None:
        return f"What became of the codes of {month.name} is told when it is over."
    authorised, uploaded = funnel.count("authorised"), funnel.count(UPLOADED)
    if authorised is None or uploaded is None:
        return f"What became of the codes of {month.name} is withheld."
    return (
        f"Of {exactly(authorised)} codes that operators authorised in {month.name}, "
        f"{exactly(uploaded)} led to an upload: {share(uploaded, authorised)}."
    )


def _steps(funnel: FigureTable | None) -> list[Row]:
    if funnel is None:
        return []
    return bar_rows(
        [(name, funnel.count(cell)) for cell, name in _STEPS],
        say=_of(funnel.count("authorised")),
    )


def _of(total: int | None) -> Callable[[int, int], str]:
    """Return what writes a count and its share of a total, where that is shown."""

    def say(count: int, _: int) -> str:
        return f"{exactly(count)} · {share(count, total)}" if total else exactly(count)

    return say


def _outcome(figures: Figures, month: Month) -> list[tuple[str, str]]:
    chunks = [figures.table(Subject.CHUNKS, Span.DAY, Breakdown.NOTHING, day) for day in month.days]
    keys = [table.count("keys") for table in chunks if table is not None]
    outcome = []
    if known := [each for each in keys if each is not None]:
        outcome.append((exactly(sum(known)), "keys published, those of simulated people included"))
    notified = national(figures, month, Subject.NOTIFIED, "notified")
    if notified is not None:
        outcome.append((about(notified.phones), f"phones warned their user ({between(notified)})"))
    return outcome


def _onset(figures: Figures, month: Month) -> Breakdowns:
    rows, counts = _uploads(figures, month, Breakdown.ONSET, _ONSETS)
    early = _part(counts, ("0-2", "3-5"))
    sentence = "When those who uploaded fell ill is not shown."
    if early is not None:
        sentence = f"{share(*early)} uploaded within five days of their first symptoms."
    return Breakdowns(sentence, rows)


def _exposure(figures: Figures, month: Month) -> Breakdowns:
    rows, counts = _uploads(figures, month, Breakdown.EXPOSURE, _EXPOSURES)
    warned = _part(counts, ("warned",))
    sentence = "Whether those who tested positive had been warned is not shown."
    if warned is not None:
        sentence = f"{share(*warned)} of those who tested positive had been warned before."
    return Breakdowns(sentence, rows)


def _delay(figures: Figures, month: Month) -> Breakdowns:
    rows, counts = _uploads(figures, month, Breakdown.DELAY, _DELAYS)
    swift = _part(counts, _IN_TIME)
    sentence = "How long an upload takes is not shown."
    if swift is not None:
        sentence = f"{share(*swift)} of uploads came within 90 seconds of the code."
    return Breakdowns(sentence, rows)


def _uploads(
    figures: Figures, month: Month, breakdown: Breakdown, nodes: Sequence[tuple[str, str]]
) -> tuple[list[Row], dict[str, int | None]]:
    table = figures.of_month(month, Subject.CODES, breakdown)
    if table is None:
        return [], {}
    counts = {node: table.count(node, UPLOADED) for node, _ in (*nodes, ("all", ""))}
    rows = bar_rows([(name, counts[node]) for node, name in nodes], say=_of(counts["all"]))
    return rows, counts


def _part(counts: dict[str, int | None], nodes: Sequence[str]) -> tuple[int, int] | None:
    """Return how many of all lie in some nodes; None where it is not shown."""
    parts, total = [counts.get(node) for node in nodes], counts.get("all")
    known = [part for part in parts if part is not None]
    return (sum(known), total) if total and len(known) == len(parts) else None
