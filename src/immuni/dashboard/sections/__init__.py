"""What the page of a month says, part by part: a sentence, a plot, and the figures behind it."""

from dataclasses import dataclass

from immuni.dashboard.figures import TableName


@dataclass(frozen=True, slots=True)
class Listing:
    """The figures of a plot, to be read.

    Attributes:
        caption: What they are.
        head: Names of the columns; the first names the rows.
        rows: Their words.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Download:
    """A table of figures that can be downloaded.

    Attributes:
        label: What it holds.
        path: Of its CSV.
    """

    label: str
    path: str


def download(label: str, key: TableName, kind: str = "figures") -> Download:
    """Return the download of a table, or of the estimates that are made from it."""
    return Download(
        label,
        f"/v1/{kind}.csv?subject={key.subject}&span={key.span}"
        f"&breakdown={key.breakdown}&since={key.since}",
    )
