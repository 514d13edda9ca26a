"""Whether ports are free, asked of the machine."""

import socket
from contextlib import ExitStack

import pytest

from immuni.deployment.ports import PortTakenError, free_block, require_free


def test_all_taken_ports_are_named_and_no_others() -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        ports = [server.getsockname()[1] for server in servers]
        servers[1].close()

        with pytest.raises(PortTakenError) as taken:
            require_free(ports)

    assert f"port {ports[0]}, {ports[2]};" in str(taken.value)
    assert str(ports[1]) not in str(taken.value)
    assert "--base-port" in str(taken.value)


def test_a_port_whose_last_connection_still_fades_away_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            connection, _ = server.accept()
            # The side that closes first is the one that keeps the port for a while.
            connection.close()

    require_free([port])


def test_a_free_block_is_fourteen_ports_that_can_be_bound() -> None:
    base = free_block(12_345)

    with ExitStack() as stack:
        for port in range(base, base + 14):
            stack.enter_context(socket.create_server(("127.0.0.1", port)))
    assert base % 10 == 0


def test_a_block_with_one_taken_port_is_passed_over() -> None:
    base = free_block(23_450)
    with socket.create_server(("127.0.0.1", base + 7)):
        another = free_block(23_450)

    assert another != base


@pytest.mark.parametrize("start", [0, 39_999, 40_000, 10**9])
def test_the_search_goes_round_within_its_range(start: int) -> None:
    assert 20_000 <= free_block(start) < 32_000
