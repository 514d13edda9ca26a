"""Fourteen neighbouring ports, one for each part."""

import pytest

from immuni.deployment.roles import MEANINGS, Ports, Role
from immuni.deployment.settings import DeploymentSettings, loopback_url, phone_url, world_url

PORTS = Ports(8400)


def test_every_part_has_a_port_of_its_own_in_the_block() -> None:
    servers = [PORTS.of(role) for role in Role if role is not Role.PHONES]
    phones = [PORTS.of_phone(number) for number in range(2)]
    everything = [*servers, *phones, PORTS.postgres, PORTS.nginx, PORTS.apple, PORTS.world]

    assert servers == [8400, 8401, 8402, 8403, 8404, 8405, 8411, 8412]
    assert phones == [8406, 8407]
    assert len(set(everything)) == len(everything)
    assert set(everything) <= set(range(8400, 8414))


@pytest.mark.parametrize("phones", [0, 1, 2])
def test_only_ports_that_are_bound_have_to_be_free(phones: int) -> None:
    servers, apps = [*range(8400, 8406), 8411, 8412], range(8406, 8406 + phones)
    world = [8413] if phones else []
    assert PORTS.all(phones=phones) == [*servers, *apps, *world, 8410]


def test_every_role_is_explained() -> None:
    assert set(MEANINGS) == set(Role)


def test_each_part_of_the_browser_has_a_name_of_its_own() -> None:
    assert loopback_url(Role.PORTAL, PORTS) == "http://portal.localhost:8404"
    assert loopback_url(Role.DASHBOARD, PORTS) == "http://dashboard.localhost:8411"
    assert world_url(PORTS) == "http://world.localhost:8413"
    assert phone_url(0, PORTS) == "http://phone-a.world.localhost:8406"
    assert phone_url(1, PORTS) == "http://phone-b.world.localhost:8407"


def test_only_what_the_portal_alone_reaches_speaks_tls_by_itself() -> None:
    assert loopback_url(Role.OTP, PORTS) == "https://127.0.0.1:8403"
    assert loopback_url(Role.SETTINGS, PORTS) == "https://127.0.0.1:8412"
    for role in (Role.GET, Role.UPLOAD, Role.ANALYTICS, Role.JOBS):
        assert loopback_url(role, PORTS) == f"http://127.0.0.1:{PORTS.of(role)}"


def test_a_configured_address_stands_above_loopback() -> None:
    settings = DeploymentSettings(base_port=9000, get_url="https://get.example")

    assert settings.url_of(Role.GET) == "https://get.example"
    assert settings.url_of(Role.UPLOAD) == "http://127.0.0.1:9001"
