"""What is told of two moments."""

from datetime import timedelta

from immuni.app.state import AtRisk, Positive
from immuni.world.chronicle import news, without_repetition
from immuni.world.place import Place
from tests.unit.world.seen import NOON, a_phone, a_world

TODAY = NOON.date()


def test_what_was_heard_is_summed_up_after_a_while_and_else_told_once() -> None:
    before = a_world(b=a_phone("B", scans=3, identifiers=1))
    after = a_world(b=a_phone("B", scans=15, identifiers=5))

    (summed,) = news(before, after, after_a_while=True)

    assert "B in 12 scans, under 4 new identifiers" in summed.text
    assert "No server was told" in summed.unlearnt
    assert news(before, after) == []
    assert len(news(a_world(), after)) == 1


def test_what_nobody_learnt_is_told_once() -> None:
    entry = news(a_world(), a_world(b=a_phone("B", scans=3)))[0]

    first, second = without_repetition([entry, entry])

    assert first == entry
    assert (second.text, second.unlearnt) == (entry.text, "")


def test_phones_that_lay_near_each_other_in_vain_say_why() -> None:
    after = a_world(
        a_phone("A", has_bluetooth=False), a_phone("B", is_paused=True), place=Place.NEAR
    )
    apart = a_world(a_phone("A", has_bluetooth=False), place=Place.TOWN)

    (told,) = news(after, after, after_a_while=True)

    assert told.text == (
        "The phones did not hear each other: phone A has Bluetooth off and phone B takes a pause."
    )
    assert news(after, after) == []
    assert news(apart, apart, after_a_while=True) == []


def test_a_pause_and_its_end_are_told() -> None:
    at_work, paused = a_world(), a_world(b=a_phone("B", is_paused=True))

    assert news(at_work, paused)[0].text == "Phone B takes a pause: it neither sends nor hears."
    assert news(paused, at_work)[0].text == "Phone B goes on."


def test_a_phone_that_destroys_what_it_stored_is_told() -> None:
    (told,) = news(a_world(), a_world(b=a_phone("B", is_set_up=False)))

    assert told.text == "Phone B has destroyed everything that it stored, and begins anew."


def test_an_upload_tells_what_nobody_learns_of_it() -> None:
    before = a_world(a_phone("A", code="X", is_code_checked=True))
    after = a_world(a_phone("A", user=Positive(TODAY)))

    (told,) = news(before, after)

    assert told.text.startswith("Phone A uploaded its daily keys, with its user's consent.")
    assert "whom they met" in told.unlearnt


def test_a_chunk_is_told_before_what_the_phones_made_of_it() -> None:
    before = a_world(a_phone("A", user=Positive(TODAY)))
    after = a_world(
        a_phone("A", user=Positive(TODAY), chunk=1),
        a_phone("B", user=AtRisk(TODAY), chunk=1),
        chunk=1,
        now=NOON + timedelta(hours=1),
    )

    told = news(before, after)

    assert [each.who for each in told] == ["servers", "A", "B"]
    assert "nothing to warn" in told[1].text
    assert "warns its user of a contact on 2 March." in told[2].text


def test_a_chunk_that_matches_nothing_is_told_as_that() -> None:
    (told,) = news(a_world(chunk=1), a_world(b=a_phone("B", chunk=1), chunk=1))

    assert "no reason to warn" in told.text


def test_no_code_is_ever_told() -> None:
    told = news(a_world(), a_world(a_phone("A", code="79X3AQRAF2"), authorised="79X3AQRAF2"))

    assert len(told) == 1
    assert "79X3AQRAF2" not in str(told)


def test_nothing_happens_between_two_equal_moments() -> None:
    assert news(a_world(), a_world(), after_a_while=True) == []
