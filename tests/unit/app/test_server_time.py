from datetime import UTC, datetime, timedelta

import pytest

from immuni.app.server_time import ServerTime, read_server_time

RECEIVED = datetime(2020, 6, 8, 12, 0, 0, tzinfo=UTC)
DATE = "Mon, 08 Jun 2020 12:00:30 GMT"


def test_the_date_tells_how_far_the_server_is_ahead() -> None:
    server_time = read_server_time({"date": DATE}, received_at=RECEIVED)

    assert server_time == ServerTime(timedelta(seconds=30))
    assert server_time.at(RECEIVED) == RECEIVED + timedelta(seconds=30)


def test_an_answer_from_a_cache_is_as_much_later_as_it_is_old() -> None:
    headers = {"date": DATE, "age": "600"}

    assert read_server_time(headers, received_at=RECEIVED) == ServerTime(timedelta(seconds=630))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"date": ""},
        {"date": "yesterday"},
        {"date": DATE, "age": "-1"},
        {"date": DATE, "age": "soon"},
        {"date": DATE, "age": "9" * 30},
        {"date": "Fri, 31 Dec 9999 23:59:59 GMT", "age": "999999999"},
        {"date": "Fri, 31 Dec 99999999999 23:59:59 GMT"},
    ],
)
def test_an_answer_without_a_sensible_time_tells_nothing(headers: dict[str, str]) -> None:
    assert read_server_time(headers, received_at=RECEIVED) is None
