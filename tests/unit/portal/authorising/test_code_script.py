import json
import re
from pathlib import Path
from typing import Any, Final

import immuni.portal
from immuni.otp import ALPHABET, GROUPS, OTP_LENGTH, check_digit
from immuni.portal.practising.codes import PRACTICE_PREFIX, PRACTICE_SHIFT

SCRIPT: Final = (Path(immuni.portal.__file__).parent / "static/code.js").read_text()


def constant(name: str) -> Any:  # noqa: ANN401 - a text, a number or a list of them
    match = re.search(rf"const {name} = (.+?);", SCRIPT, re.DOTALL)
    assert match, name
    return json.loads(match[1])


def shifts(position: int) -> list[int]:
    """Return by how much each character at `position` moves the check digit, from "A" on."""
    digits = [check_digit("A" * position + each + "A" * (8 - position)) for each in ALPHABET]
    first = ALPHABET.index(digits[0])
    return [(ALPHABET.index(digit) - first) % len(ALPHABET) for digit in digits]


def test_the_script_knows_the_same_alphabet_and_groups_as_the_server() -> None:
    assert constant("ALPHABET") == ALPHABET
    assert constant("LENGTH") == OTP_LENGTH
    assert constant("GROUPS") == list(GROUPS)
    assert constant("PRACTICE_PREFIX") == PRACTICE_PREFIX
    assert constant("PRACTICE_SHIFT") == PRACTICE_SHIFT


def test_the_scripts_tables_move_the_check_digit_as_the_servers_do() -> None:
    for name, position in (("ODD", 0), ("EVEN", 1)):
        values = constant(name)
        assert [(value - values[0]) % len(ALPHABET) for value in values] == shifts(position)


def test_the_scripts_tables_begin_where_the_servers_do() -> None:
    total = 5 * constant("ODD")[0] + 4 * constant("EVEN")[0]

    assert check_digit("A" * 9) == ALPHABET[total % len(ALPHABET)]
