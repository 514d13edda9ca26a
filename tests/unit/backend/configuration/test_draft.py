"""Drafts of settings: the file, changes, and what an operator means who types a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.api import Platform
from immuni.backend.configuration.draft import (
    Change,
    InvalidDraftError,
    SettingsDraft,
    changes,
    value_of,
)
from immuni.backend.configuration.rules import SettingEntry, SettingsSet

ENTRY = SettingEntry(Platform.IOS, "support_email", 1, "a@b.example")
NULL = SettingEntry(Platform.IOS, "support_email", 5, None)
WITHDRAWN = SettingEntry(Platform.IOS, "support_email", 9, withdrawn=True)
BEGUN = SettingsDraft(3, (ENTRY, NULL, WITHDRAWN))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def test_a_draft_begins_as_the_set_in_force() -> None:
    assert SettingsDraft.begun_on(SettingsSet(3, BEGUN.entries)) == BEGUN


@given(json_values)
def test_a_draft_is_read_as_it_was_written(value: object) -> None:
    draft = BEGUN.with_entry(SettingEntry(Platform.ANDROID, "pn_url", 2, value))

    read = SettingsDraft.parse(draft.render())

    assert read.based_on == 3
    assert changes(draft.entries, read.entries) == []
    assert read.render() == draft.render()


def test_null_is_a_value_and_not_a_withdrawal() -> None:
    text = BEGUN.render().decode()

    assert text.count('"value": null') == 1
    assert text.count('"withdrawn": true') == 1


def a_draft_with(members: str) -> str:
    entry = f'{{"platform": "ios", "name": "a", "from_build": 1{members}}}'
    return f'{{"based_on": 1, "entries": [{entry}]}}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "\xff",
        '{"based_on": 1}',
        '{"based_on": 1, "entries": [], "reason": "unknown member"}',
        a_draft_with(""),
        a_draft_with(', "valeu": 1'),
        a_draft_with(', "value": 1, "withdrawn": true'),
        a_draft_with(', "value": 1').replace("ios", "linux"),
    ],
)
def test_what_is_no_draft_is_refused(text: str) -> None:
    SettingsDraft.parse(a_draft_with(', "value": 1').encode())

    with pytest.raises(InvalidDraftError):
        SettingsDraft.parse(text.encode("latin-1"))


def test_an_entry_replaces_the_one_for_the_same_phones_only() -> None:
    other = SettingEntry(Platform.IOS, "support_email", 5, "c@d.example")

    assert set(BEGUN.with_entry(other).entries) == {ENTRY, other, WITHDRAWN}


def test_an_entry_that_is_removed_uncovers_the_one_before() -> None:
    assert BEGUN.without(Platform.IOS, "support_email", 9).entries == (ENTRY, NULL)
    with pytest.raises(InvalidDraftError, match="from build 2"):
        BEGUN.without(Platform.IOS, "support_email", 2)


def test_changes_are_what_differs() -> None:
    new = SettingEntry(Platform.ANDROID, "support_email", 1, "x")
    other = SettingEntry(Platform.IOS, "support_email", 1, "y")

    assert changes((ENTRY, NULL), (other, NULL, new)) == [Change(None, new), Change(ENTRY, other)]
    assert changes((NULL,), ()) == [Change(NULL, None)]
    assert changes((ENTRY, NULL), (NULL, ENTRY)) == []


def test_one_is_not_true_and_null_is_not_withdrawn() -> None:
    one, true = (SettingEntry(Platform.IOS, "a", 1, value) for value in (1, True))
    null, withdrawn = (SettingEntry(Platform.IOS, "a", 1, None, flag) for flag in (False, True))

    assert changes([one], [true]) == [Change(one, true)]
    assert changes([null], [withdrawn]) == [Change(null, withdrawn)]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("minimum_build_version", "120", 120),
        ("support_phone", "1500", "1500"),
        ("support_phone", '"1500"', "1500"),
        ("support_email", "null", None),
        ("support_email", "help@example.it", "help@example.it"),
        ("service_end_date", "2026-12-31", "2026-12-31"),
        ("dummy_teks_request_probabilities", "[0.95, 0.1]", [0.95, 0.1]),
    ],
)
def test_a_value_is_json_or_else_the_text_itself(name: str, text: str, value: object) -> None:
    assert value_of(name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("minimum_build_version", "five", "Expected `int`"),
        ("minimum_build_version", "0", ">= 1"),
        ("no_such_setting", "1", "unknown setting"),
        ("operational_info_with_exposure_sampling_rate", "1.5", "<= 1"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused(name: str, text: str, told: str) -> None:
    with pytest.raises(InvalidDraftError, match=told):
        value_of(name, text)
