import csv
import io
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.portal.accounts.roles import Role
from immuni.portal.people.lists import (
    MAX_ROWS,
    Entry,
    ListFault,
    MalformedListError,
    read_list,
    safe_cell,
)
from immuni.portal.people.rules import Refusal

HEADER = "user,name,role,organisation\n"
users = st.from_regex(r"[a-z0-9][a-z0-9._-]{1,40}", fullmatch=True)
names = st.text(st.characters(categories=["L", "N", "P"]), max_size=60).map(
    lambda name: name.lstrip("=+-@'\"")
)


@given(
    st.lists(st.tuples(users, names, st.sampled_from(Role), names), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["", "\ufeff"]),
    st.permutations(range(4)),
)
def test_a_list_is_read_however_a_spreadsheet_writes_it(
    people: list[tuple[str, str, Role, str]],
    delimiter: str,
    ending: str,
    quoting: Literal[0, 1],
    mark: str,
    order: list[int],
) -> None:
    rows = [["user", "name", "role", "organisation"], *map(list, people)]
    ordered = [[str(row[place]) for place in order] for row in rows]

    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerows(ordered)

    entries = read_list(mark + out.getvalue())

    assert [(each.line, each.user) for each in entries if each.fault is None] == [
        (line, user)
        for line, (user, *_) in enumerate(people, start=2)
        if user not in [before for before, *_ in people[: line - 2]]
    ]


@given(st.text())
def test_whatever_is_pasted_is_a_list_or_a_malformed_one(text: str) -> None:
    for pasted in (text, HEADER + text, HEADER + f'a,"{text}",operator,x\n'):
        try:
            entries = read_list(pasted)
        except MalformedListError:
            continue
        assert all("\x00" not in each.user + each.name + each.organisation for each in entries)


def test_italian_words_and_capitals_are_understood() -> None:
    (entry,) = read_list("Utente;Nome;Ruolo;Organizzazione\r\nANNA;Anna;Operatore;Niguarda\r\n")

    assert entry == Entry(
        line=2, user="anna", name="Anna", role=Role.OPERATOR, organisation="Niguarda"
    )


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("anna,Anna,operator", Refusal.CELLS_MISSING),
        ("anna,Anna,king,x", Refusal.ROLE_UNKNOWN),
        ("a b,Anna,operator,x", Refusal.USER_INVALID),
        ("аnna,Anna,operator,x", Refusal.USER_INVALID),
        ("anna,An\x00na,operator,x", Refusal.NAME_INVALID),
        ("anna,Anna,operator,x\u202ey", Refusal.NAME_INVALID),
        ("anna,=1+1,operator,x", Refusal.FORMULA),
        ("@anna,Anna,operator,x", Refusal.FORMULA),
        ('anna,"\tAnna",operator,x', Refusal.FORMULA),
        (f"anna,{'x' * 201},operator,x", Refusal.CELL_TOO_LONG),
        (f"anna,{'x' * 81},operator,x", Refusal.NAME_INVALID),
        ("BRUNO,Anna,operator,x", Refusal.TWICE),
    ],
)
def test_a_faulty_row_says_what_is_wrong_and_spoils_no_other(row: str, fault: Refusal) -> None:
    good, bad, last = read_list(f"{HEADER}bruno,Bruno,operator,x\n{row}\ncarla,Carla,auditor,x\n")

    assert (good.fault, bad.fault, last.fault) == (None, fault, None)
    assert (bad.line, bad.role, last.line) == (3, None, 4)


@pytest.mark.parametrize(
    ("text", "fault", "line"),
    [
        ("", ListFault.EMPTY, 0),
        (HEADER, ListFault.EMPTY, 0),
        ("user,name,role\nx,x,x\n", ListFault.COLUMNS, 1),
        ("user,user,name,role,organisation\n", ListFault.COLUMNS, 1),
        (HEADER + "anna,Nicol\ufffd,operator,x\n", ListFault.NOT_UTF8, 2),
        (HEADER + 'anna,"Anna,operator,x\n', ListFault.BROKEN, 2),
        (HEADER + 'anna,"An"na,operator,x\n', ListFault.BROKEN, 2),
        (HEADER + "anna," + "x" * 200_000 + ",operator,x\n", ListFault.BROKEN, 2),
        (
            HEADER + "".join(f"u{n},x,operator,x\n" for n in range(MAX_ROWS + 1)),
            ListFault.TOO_MANY,
            MAX_ROWS + 2,
        ),
    ],
)
def test_what_is_no_list_says_why_and_where(text: str, fault: ListFault, line: int) -> None:
    with pytest.raises(MalformedListError) as caught:
        read_list(text)

    assert (caught.value.fault, caught.value.line) == (fault, line)


@given(st.text())
def test_no_cell_that_is_written_is_a_formula(text: str) -> None:
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe_cell(text).endswith(text)
