"""How private open data are."""

from dataclasses import dataclass

from immuni.settings import number, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDataSettings:
    """How private open data are."""

    open_data_epsilon: float = setting(
        number(0.01, 4),
        default=1.0,
        meaning="Privacy budget (epsilon) of a month's open data; the smaller, the more noise.",
    )
