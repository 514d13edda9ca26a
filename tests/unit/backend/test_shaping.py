"""When a shaped answer leaves, and how long it is."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from immuni.backend.shaping import ANSWER_BYTES, departure, padded
from immuni.entropy import SeededEntropy
from immuni.web import Reply

FLOOR, MEAN = 0.150, 0.050


@given(st.integers(), st.floats(0, 0.149))
def test_work_in_time_does_not_move_the_answer(seed: int, work: float) -> None:
    def leaves(done: float) -> float:
        entropy = SeededEntropy(seed)
        return departure(
            arrival=100.0, done=done, floor=FLOOR, draw=lambda: entropy.exponential(MEAN)
        ).at

    assert leaves(100.0 + work) == leaves(100.0)
    assert leaves(100.0) >= 100.0 + FLOOR


@given(st.integers(), st.floats(0, 3))
def test_late_work_waits_for_a_further_floor_and_a_fresh_draw(seed: int, work: float) -> None:
    draws: list[float] = []
    entropy = SeededEntropy(seed)

    def draw() -> float:
        draws.append(entropy.exponential(MEAN))
        return draws[-1]

    leaving = departure(arrival=100.0, done=100.0 + work, floor=FLOOR, draw=draw)

    assert leaving.at >= 100.0 + work
    assert leaving.multiple == len(draws)
    assert leaving.at == 100.0 + leaving.multiple * FLOOR + draws[-1]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(HTTPStatus.NO_CONTENT),
        Reply(HTTPStatus.UNAUTHORIZED, b'{"error_code":1101,"message":"code not authorised"}'),
        Reply(HTTPStatus.TOO_MANY_REQUESTS, b"{}", headers={"retry-after": "60"}),
        Reply(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b'{"error_code":1000,"message":"%s"}' % (b"x" * 64)
        ),
    ],
)
def test_every_answer_is_filled_up_to_one_size(reply: Reply) -> None:
    start, body = reply.messages(cache_control="no-store")
    filled = padded(start, body["body"])

    line = f"HTTP/1.1 {reply.status.value} {reply.status.phrase}\r\n"
    lines = [f"{name.decode()}: {value.decode()}\r\n" for name, value in filled["headers"]]
    assert len(line + "".join(lines) + "\r\n") + len(reply.body) == ANSWER_BYTES


def test_an_answer_that_does_not_fit_is_a_fault() -> None:
    start, body = Reply(body=b"x" * 600).messages(cache_control="no-store")

    with pytest.raises(ValueError, match="512"):
        padded(start, body["body"])
