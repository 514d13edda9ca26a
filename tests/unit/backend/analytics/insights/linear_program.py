"""The greatest value of a sum under equations, with exact fractions: the simplex method.

Small, for tables of tests; Bland's rule keeps it from going round in circles.
"""

from collections.abc import Iterable
from fractions import Fraction
from math import inf

Row = list[Fraction]


class Polytope:
    """The numbers, none negative, whose sums over given sets are given."""

    def __init__(self, size: int, equations: Iterable[tuple[Iterable[int], int]]) -> None:
        self.size = size
        rows = [_row(size, chosen, total) for chosen, total in equations]
        # One artificial number makes up for what each equation lacks; all of them have to vanish.
        count = len(rows)
        padded = [
            [*row[:-1], *(Fraction(i == j) for j in range(count)), row[-1]]
            for i, row in enumerate(rows)
        ]
        goal = [-sum((row[c] for row in rows), Fraction(0)) for c in range(size + 1)]
        padded.append([*goal[:-1], *[Fraction(0)] * count, *goal[-1:]])
        basis = list(range(size, size + count))
        assert _climb(padded, basis, size)
        assert padded[-1][-1] == 0, "no numbers fulfil the equations"
        for place in range(count):
            usable = (c for c in range(size) if padded[place][c] and c not in basis)
            if basis[place] >= size and (column := next(usable, None)) is not None:
                _pivot(padded, basis, place, column)
        kept = [place for place in range(count) if basis[place] < size]
        self.rows = [[*padded[place][:size], padded[place][-1]] for place in kept]
        self.basis = [basis[place] for place in kept]

    def greatest(self, chosen: Iterable[int], sign: int = 1) -> Fraction | float:
        """Return the greatest sum of some of the numbers, or with sign -1 of their negatives."""
        goal = [-sign * value for value in _row(self.size, chosen, 0)]
        rows, basis = [*self.rows, goal], list(self.basis)
        for place, column in enumerate(basis):
            factor = rows[-1][column]
            rows[-1] = [a - factor * b for a, b in zip(rows[-1], rows[place], strict=True)]
        return rows[-1][-1] if _climb(rows, basis, self.size) else inf


def _row(size: int, chosen: Iterable[int], total: int) -> Row:
    within = set(chosen)
    return [*(Fraction(place in within) for place in range(size)), Fraction(total)]


def _climb(rows: list[Row], basis: list[int], size: int) -> bool:
    """Improve until nothing improves; False when there is no greatest value."""
    while (column := next((c for c in range(size) if rows[-1][c] < 0), None)) is not None:
        ratios = [
            (row[-1] / row[column], basis[place], place)
            for place, row in enumerate(rows[:-1])
            if row[column] > 0
        ]
        if not ratios:
            return False
        _pivot(rows, basis, min(ratios)[2], column)
    return True


def _pivot(rows: list[Row], basis: list[int], place: int, column: int) -> None:
    scale = rows[place][column]
    rows[place] = [value / scale for value in rows[place]]
    for other, row in enumerate(rows):
        if other != place and (factor := row[column]):
            rows[other] = [
                a - factor * b if b else a for a, b in zip(row, rows[place], strict=True)
            ]
    basis[place] = column
