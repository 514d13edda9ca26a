"""What a page says of a command beyond what the command knows of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """One form of a command's JSON.

    Attributes:
        example: Returns one, from a run of the command where it always prints the same.
        members: Path to meaning. ``[]`` stands for the items of a list, ``*`` for names that
            depend on what was found.
        when: In which case it is printed; empty where there is one form only.
        like: Said in place of the example and the table, where another command has them.
    """

    example: Callable[[], object]
    members: Mapping[str, str]
    when: str = ""
    like: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a page says of a command beyond what the command itself knows.

    Attributes:
        exit_codes: Beyond 0 for done and 2 for wrong use.
        answers: The forms of its JSON.
        note: A sentence or two.
    """

    exit_codes: Mapping[int, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()
    note: str = ""
