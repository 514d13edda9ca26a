"""Matching against a reading of the rules so plain that one sees it is right."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from immuni.crypto import decrypt_rpi, derive_rpik
from immuni.keys import DiagnosisKey, ENIntervalNumber, ReportType, interval_at
from immuni.matching import Match, Sighting, match, recognise
from tests.unit.matching.contacts import FIRST, a_key, heard

offsets = st.integers(-20, 160).map(lambda offset: ENIntervalNumber(FIRST + offset))
# One key each, so that what is published again is another property.
keys = st.lists(
    st.builds(
        a_key,
        st.integers(1, 4),
        rolling_period=st.integers(1, 144),
        report_type=st.sampled_from(ReportType),
    ),
    unique_by=lambda key: key.tek.key_data,
    max_size=4,
)
sightings = st.lists(
    st.builds(
        heard,
        st.integers(1, 6).map(a_key),
        offsets | st.just(ENIntervalNumber(FIRST + 3)),
        after=st.integers(-8_000, 9_000).map(lambda seconds: timedelta(seconds=seconds)),
        tx_power_dbm=st.integers(-128, 127),
    ),
    max_size=20,
)


def plainly(keys: list[DiagnosisKey], sightings: list[Sighting]) -> list[Match]:
    """Try every key on every sighting, as the rules say."""
    found = [
        Match(place, index, interval)
        for place, key in enumerate(keys)
        if key.report_type not in (ReportType.REVOKED, ReportType.RECURSIVE)
        for index, sighting in enumerate(sightings)
        if (interval := decrypt_rpi(derive_rpik(key.tek), sighting.rpi)) is not None
        and key.tek.covers(interval)
        and interval - 12 <= interval_at(sighting.seen_at) <= interval + 12
    ]
    return [
        late
        for late in found
        if not any(
            (early.key_index, early.interval) == (late.key_index, late.interval)
            and sightings[late.sighting_index].seen_at - sightings[early.sighting_index].seen_at
            > timedelta(seconds=1200)
            for early in found
        )
    ]


@given(keys, sightings)
def test_recognition_finds_what_the_rules_say(
    keys: list[DiagnosisKey], sightings: list[Sighting]
) -> None:
    assert recognise(keys, sightings) == plainly(keys, sightings)


@given(keys, st.data())
def test_the_order_of_sightings_does_not_matter(
    keys: list[DiagnosisKey], data: st.DataObject
) -> None:
    # Equal sightings at equal times make equal samples only when told apart by nothing.
    drawn = data.draw(sightings.map(lambda all_of_them: list(dict.fromkeys(all_of_them))))
    shuffled = data.draw(st.permutations(drawn))

    def told(order: list[Sighting]) -> list[tuple[int, frozenset[object]]]:
        return [(found.key_index, frozenset(found.samples)) for found in match(keys, order)]

    assert told(shuffled) == told(drawn)
