import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from immuni.device import ServiceManager


@pytest.fixture
def manager_socket(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(10)
        yield listener


def test_facts_arrive_as_lines_of_one_datagram(
    manager_socket: socket.socket, tmp_path: Path
) -> None:
    manager = ServiceManager.from_environment({"NOTIFY_SOCKET": str(tmp_path / "notify")})

    manager.tell(READY="1", STATUS="active")

    assert manager_socket.recv(1000) == b"READY=1\nSTATUS=active"


def test_an_abstract_socket_is_found() -> None:
    name = f"\0immuni-test-{id(object())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name)
        listener.settimeout(10)

        ServiceManager("@" + name[1:]).tell(WATCHDOG="1")

        assert listener.recv(1000) == b"WATCHDOG=1"


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": "/nobody/listens/here"}])
def test_without_a_manager_nothing_is_said_and_nothing_fails(environment: dict[str, str]) -> None:
    ServiceManager.from_environment(environment).tell(READY="1")


def test_the_wish_to_be_heard_of_is_read() -> None:
    wished = ServiceManager.from_environment({"WATCHDOG_USEC": "60000000"})

    assert wished.watchdog_period == timedelta(minutes=1)
    for nothing in ({}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}):
        assert ServiceManager.from_environment(nothing).watchdog_period is None
