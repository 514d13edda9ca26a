"""What must not change what is found, and where the rules have their edges."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from immuni.keys import (
    DiagnosisKey,
    ENIntervalNumber,
    PackedKeys,
    ReportType,
    interval_at,
    start_of,
)
from immuni.matching import (
    LONGEST_BROADCAST,
    PackedSightings,
    Sighting,
    keys_in_force,
    match,
    recognise,
    supersedes,
)
from tests.unit.matching.contacts import FIRST, a_key, heard

SECOND = timedelta(seconds=1)
INTERVAL = timedelta(minutes=10)
IDLE = (ReportType.REVOKED, ReportType.RECURSIVE)

offsets = st.integers(0, 143).map(lambda offset: ENIntervalNumber(FIRST + offset))
published = st.lists(
    st.builds(
        a_key,
        st.integers(1, 3),
        rolling_period=st.integers(1, 144),
        report_type=st.sampled_from(ReportType),
    ),
    max_size=5,
)
sightings = st.lists(
    st.builds(
        heard,
        st.integers(1, 4).map(a_key),
        offsets | st.just(ENIntervalNumber(FIRST + 3)),
        after=st.integers(-8_000, 9_000).map(lambda seconds: timedelta(seconds=seconds)),
        usable=st.booleans(),
        since_scan=st.none() | st.timedeltas(timedelta(), timedelta(minutes=9)),
    ),
    max_size=15,
)


@given(published, sightings)
def test_packed_values_are_matched_like_the_values_in_them(
    keys: list[DiagnosisKey], sightings: list[Sighting]
) -> None:
    packed = PackedKeys(keys), PackedSightings(sightings)

    assert recognise(*packed) == recognise(keys, sightings)
    assert match(*packed) == match(keys, sightings)
    assert match(packed[0], sightings) == match(keys, packed[1])


@given(published, sightings, st.data())
def test_the_order_of_sightings_changes_only_their_places(
    keys: list[DiagnosisKey], sightings: list[Sighting], data: st.DataObject
) -> None:
    places = data.draw(st.permutations(range(len(sightings))))
    shuffled = [sightings[place] for place in places]

    found = Counter(recognise(keys, sightings))

    assert found == Counter(
        replace(each, sighting_index=places[each.sighting_index])
        for each in recognise(keys, shuffled)
    )


@given(published, sightings, st.data())
def test_the_order_of_different_keys_changes_only_their_places(
    keys: list[DiagnosisKey], sightings: list[Sighting], data: st.DataObject
) -> None:
    different = [*{key.tek.key_data: key for key in keys}.values()]
    places = data.draw(st.permutations(range(len(different))))
    shuffled = [different[place] for place in places]

    found = Counter(recognise(different, sightings))

    assert found == Counter(
        replace(each, key_index=places[each.key_index]) for each in recognise(shuffled, sightings)
    )


@given(published, published, sightings)
def test_publishing_in_two_files_is_publishing_in_one(
    keys: list[DiagnosisKey], more: list[DiagnosisKey], sightings: list[Sighting]
) -> None:
    assert match(PackedKeys.joined([keys, more]), sightings) == match(keys + more, sightings)


@given(published, sightings)
def test_what_is_revoked_gives_nothing_whatever_it_was(
    keys: list[DiagnosisKey], sightings: list[Sighting]
) -> None:
    revoked = [replace(key, report_type=ReportType.REVOKED) for key in keys]

    assert recognise(keys + revoked, sightings) == []
    assert recognise(revoked + keys, sightings) == []


@given(published)
def test_the_key_in_force_is_the_first_of_its_best_versions(keys: list[DiagnosisKey]) -> None:
    expected = set()
    for place, key in enumerate(keys):
        versions = [other for other in enumerate(keys) if other[1].tek.key_data == key.tek.key_data]
        beaten = any(
            supersedes(other.report_type, key.report_type)
            or (other.report_type is key.report_type and earlier < place)
            for earlier, other in versions
        )
        if not beaten and key.report_type not in IDLE:
            expected.add(place)

    assert keys_in_force(keys) == expected


@given(offsets, st.integers(-13, 13), st.integers(0, 599))
def test_a_sighting_counts_up_to_twelve_intervals_beside_its_own(
    interval: ENIntervalNumber, intervals_off: int, seconds: int
) -> None:
    sighting = heard(a_key(), interval, after=intervals_off * INTERVAL + seconds * SECOND)

    assert len(recognise([a_key()], [sighting])) == (abs(intervals_off) <= 12)


@given(offsets, st.integers(0, 2_000_000), st.integers(-3, 3))
def test_an_identifier_counts_for_exactly_twenty_minutes_from_its_first_time(
    interval: ENIntervalNumber, begin_us: int, beside_us: int
) -> None:
    begin = timedelta(microseconds=begin_us)
    later = begin + LONGEST_BROADCAST + timedelta(microseconds=beside_us)
    both = [heard(a_key(), interval, after=after) for after in (later, begin)]

    assert len(recognise([a_key()], both)) == (1 if beside_us > 0 else 2)


@given(st.integers(1, 144), st.integers(-20, 160))
def test_a_key_is_recognised_in_its_own_rolling_period_only(period: int, offset: int) -> None:
    key = a_key(rolling_period=period)
    sighting = heard(a_key(), ENIntervalNumber(FIRST + offset))

    assert len(recognise([key], [sighting])) == (0 <= offset < period)


@given(st.lists(st.tuples(offsets, st.integers(0, 599)), unique=True, max_size=12), st.data())
def test_planted_sightings_are_found_among_strangers(
    planted: list[tuple[ENIntervalNumber, int]], data: st.DataObject
) -> None:
    near = [heard(a_key(), interval, after=seconds * SECOND) for interval, seconds in planted]
    strangers = [heard(a_key(number)) for number in range(10, 30)]
    everything = data.draw(st.permutations(near + strangers))

    found = recognise([a_key(2), a_key()], everything)

    assert {each.key_index for each in found} <= {1}
    assert Counter((each.interval, everything[each.sighting_index].seen_at) for each in found) == (
        Counter((interval, start_of(interval) + seconds * SECOND) for interval, seconds in planted)
    )
    assert all(
        interval_at(everything[each.sighting_index].seen_at) == each.interval for each in found
    )
