"""What becomes of a draft when another set was published."""

from hypothesis import given
from hypothesis import strategies as st

from immuni.api import Platform
from immuni.api.settings_authoring import PublishedEntry, PublishedSettings
from immuni.portal.configuring.rules import Draft, merged, places


def entry(name: str, build: int, value: int) -> PublishedEntry:
    return PublishedEntry(
        platform=Platform.IOS, name=name, from_build=build, value=value, withdrawn=False
    )


def as_set(version: int, values: dict[tuple[str, int], int]) -> PublishedSettings:
    entries = tuple(entry(name, build, value) for (name, build), value in values.items())
    return PublishedSettings(version=version, entries=entries)


sets = st.dictionaries(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(1, 2)), st.integers(0, 2)
)


@given(sets, sets)
def test_upon_the_set_that_it_was_begun_on_a_draft_stays_as_it_is(
    before: dict[tuple[str, int], int], mine: dict[tuple[str, int], int]
) -> None:
    base, draft = as_set(1, before), Draft(1, as_set(0, mine).entries)

    merge = merged(base, draft, base)

    assert places(merge.draft.entries) == places(draft.entries)
    assert merge.conflicts == []


@given(sets, sets)
def test_a_draft_that_changes_nothing_becomes_the_other_set(
    before: dict[tuple[str, int], int], theirs: dict[tuple[str, int], int]
) -> None:
    base, other = as_set(1, before), as_set(2, theirs)

    merge = merged(base, Draft.begun_on(base), other)

    assert places(merge.draft.entries) == places(other.entries)
    assert (merge.draft.based_on, merge.conflicts) == (2, [])


@given(sets, sets, sets)
def test_each_place_is_mine_where_i_changed_it_and_theirs_elsewhere(
    before: dict[tuple[str, int], int],
    mine: dict[tuple[str, int], int],
    theirs: dict[tuple[str, int], int],
) -> None:
    base, draft, other = as_set(1, before), Draft(1, as_set(0, mine).entries), as_set(2, theirs)

    merge = merged(base, draft, other)

    found = {(e.name, e.from_build): e.value for e in merge.draft.entries}
    conflicts = {(each.place[0], each.place[2]) for each in merge.conflicts}
    for place in {*before, *mine, *theirs}:
        was, wanted, now = before.get(place), mine.get(place), theirs.get(place)
        assert found.get(place) == (now if wanted == was else wanted)
        assert (place in conflicts) == (len({was, wanted}) == 2 and now not in (was, wanted))
