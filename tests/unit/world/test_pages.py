"""The page at both ends of the story."""

import pytest

from immuni.world.guide import story
from immuni.world.pages import Portal, page_templates
from immuni.world.place import Place
from tests.unit.world.seen import NOON, a_phone, a_world

EVERYTHING = frozenset({step.name for step in story(a_world())})


@pytest.mark.parametrize(
    ("done", "title"),
    [
        (frozenset[str](), "Put the phones near each other"),
        (EVERYTHING, "One was warned, and nobody knows that they met"),
    ],
)
def test_the_page_tells_the_next_step_and_the_end(done: frozenset[str], title: str) -> None:
    world = a_world(a_phone("A", code=None))
    steps = story(world, done)

    page = (
        page_templates()
        .get_template("middle.html")
        .render(
            steps=steps,
            upcoming=next((step for step in steps if not step.is_done), None),
            is_time_passing=False,
            is_update=False,
            is_night=False,
            is_authorised=False,
            place=world.place,
            places=list(Place),
            durations={"1": "1 hour"},
            phones=world.phones,
            ill=world.phones[0],
            code=None,
            time=f"{NOON:%H:%M}",
            day="Monday 2 March",
            portal=Portal("http://portal.test", "operator", "password"),
        )
    )

    assert f'<h2 id="next-title">{title}</h2>' in page
