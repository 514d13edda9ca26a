"""Moments of the world, made up."""

from datetime import UTC, datetime
from typing import Any

from immuni.app.state import Neutral
from immuni.world.place import Place
from immuni.world.sight import PhoneSeen, WorldSeen

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def a_phone(label: str, **values: Any) -> PhoneSeen:  # noqa: ANN401 - of many kinds
    return PhoneSeen(label=label, **{"user": Neutral(), **values})


def a_world(
    a: PhoneSeen | None = None,
    b: PhoneSeen | None = None,
    **values: Any,  # noqa: ANN401 - of many kinds
) -> WorldSeen:
    defaults = {"now": NOON, "place": Place.TOWN}
    return WorldSeen(phones=(a or a_phone("A"), b or a_phone("B")), **{**defaults, **values})
