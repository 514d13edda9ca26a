"""``immuni up``: what a running system tells, serves and refuses."""

import socket
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from immuni.clock import SystemClock
from immuni.deployment.certificate_care import certificate_states
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.deployment.certification import CertificateFiles
from immuni.testing.apple import device_token
from tests.integration.deployment.existing_phone import portal_tls
from tests.running import RunningSystem, eventually
from tests.unit.cli.command_line import immuni

MEMBERS: Final = [
    "get", "upload", "analytics", "otp", "otp_ca", "otp_client_cert", "otp_client_key", "portal",
    "dashboard", "apple", "metrics", "world", "phones", "demo_accounts", "export_public_key",
    "data_dir",
]  # fmt: skip

pytestmark = pytest.mark.timeout(300)


def ask(url: str, told: Mapping[str, Any], *, method: str = "GET") -> httpx.Response:
    """Send a request without a body, as the portal where the OTP Service is asked."""
    # The name of the portal means this machine in every browser, but not in every resolver.
    address = urlsplit(url)
    on_loopback = address._replace(netloc=f"127.0.0.1:{address.port}").geturl()
    with httpx.Client(verify=portal_tls(told), trust_env=False, timeout=30) as client:
        return client.request(method, on_loopback, headers={"Host": address.netloc})


def shake_hands(told: Mapping[str, Any], client: CertificateFiles | None) -> None:
    """Complete a TLS handshake with the OTP Service as this client."""
    context = ssl.create_default_context(cafile=told["otp_ca"])
    # In TLS 1.2 the client's certificate is a part of the handshake, not of what follows it.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    address = urlsplit(told["otp"])
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        context.wrap_socket(connection, server_hostname=address.hostname).close()


def endpoints_counted(system: RunningSystem) -> set[str]:
    """Return the endpoints of which the metrics tell anything."""
    answer = ask(f"{system.told['metrics']}/metrics", system.told)
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        sample.labels["endpoint"]
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if "endpoint" in sample.labels
    }


def test_one_line_tells_machines_where_everything_is(system: RunningSystem) -> None:
    told = system.told

    assert list(told) == MEMBERS
    assert told["world"] is None
    assert told["phones"] == []
    assert [account["role"] for account in told["demo_accounts"]] == [
        "operator",
        "supervisor",
        "administrator",
        "auditor",
    ]
    assert all(set(account) == {"user", "password", "role"} for account in told["demo_accounts"])
    assert told["data_dir"] == str(system.data_dir)
    for file in ("otp_ca", "otp_client_cert", "otp_client_key", "export_public_key"):
        assert Path(told[file]).is_relative_to(system.data_dir)
        assert Path(told[file]).is_file()


@pytest.mark.parametrize(
    "part", ["get", "upload", "analytics", "otp", "portal", "dashboard", "metrics"]
)
def test_every_part_answers_that_it_lives_and_is_ready(part: str, system: RunningSystem) -> None:
    for path, word in (("livez", "live"), ("readyz", "ready")):
        answer = ask(f"{system.told[part]}/{path}", system.told)

        assert answer.status_code == HTTPStatus.OK
        assert answer.json() == {"status": word}


def test_the_metrics_tell_when_the_certificates_in_use_end(system: RunningSystem) -> None:
    answer = ask(f"{system.told['metrics']}/metrics", system.told)
    told = {
        sample.labels["certificate"]: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "immuni_certificate_end_seconds"
    }

    states = certificate_states(InternalCertificates(system.data_dir / "certificates"))
    ends = {each.name: each.ends_at.timestamp() for each in states if each.hosts}
    assert told == ends


def test_every_part_listens_on_loopback_only(system: RunningSystem) -> None:
    listening = {
        (address, int(port, 16))
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        for (address, _, port), state in [(line.split()[1].partition(":"), line.split()[3])]
        if state == "0A"
    }
    ours = range(system.base_port, system.base_port + 11)

    assert {address for address, port in listening if port in ours} == {"0100007F"}


def test_a_token_of_an_ios_phone_is_authorised_by_the_stand_in_for_apple(
    system: RunningSystem,
) -> None:
    token = {"analytics_token": "1f" * 64, "device_token": device_token("a-phone-of-this-test")}
    forged = {"analytics_token": "2e" * 64, "device_token": "AAAA"}
    url = f"{system.told['analytics']}/v1/analytics/apple/token"

    def status(body: Mapping[str, str]) -> int:
        return httpx.post(url, json=body, trust_env=False, timeout=30).status_code

    assert status(token) == status(forged) == HTTPStatus.ACCEPTED
    eventually(lambda: status(token) == HTTPStatus.CREATED or None)
    assert status(forged) == HTTPStatus.ACCEPTED


def test_the_metrics_are_those_of_all_processes(system: RunningSystem) -> None:
    told = system.told
    asked = {
        "/v1/settings": ("get", "GET"),
        "/v1/ingestion/check-otp": ("upload", "POST"),
        "/v1/analytics/apple/token": ("analytics", "POST"),
        "/v1/otp": ("otp", "POST"),
    }
    for path, (part, method) in asked.items():
        ask(f"{told[part]}{path}", told, method=method)

    assert set(asked) <= endpoints_counted(system)


def test_the_metrics_port_serves_nothing_else(system: RunningSystem) -> None:
    metrics = system.told["metrics"]

    assert ask(f"{metrics}/v1/settings", system.told).status_code == HTTPStatus.NOT_FOUND


def test_only_certificates_of_ours_get_past_the_handshake(
    system: RunningSystem, tmp_path: Path
) -> None:
    told = system.told
    ours = CertificateFiles(Path(told["otp_client_cert"]), Path(told["otp_client_key"]))
    stranger = ensure_certificates(tmp_path / "stranger", clock=SystemClock()).client

    shake_hands(told, ours)
    for refused in (None, stranger):
        with pytest.raises(ssl.SSLError):
            shake_hands(told, refused)


def test_a_second_system_on_the_same_data_is_refused(system: RunningSystem) -> None:
    refused = immuni("up", "--data-dir", system.data_dir, "--json")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err == (f"immuni: {system.data_dir} is in use by process {system.process.pid}\n")
    assert ask(f"{system.told['get']}/readyz", system.told).is_success


def test_the_demonstration_accounts_open_the_portal(system: RunningSystem) -> None:
    account = system.told["demo_accounts"][0]
    address = urlsplit(system.told["portal"])
    with httpx.Client(
        base_url=f"http://127.0.0.1:{address.port}",
        headers={"Host": address.netloc, "Origin": system.told["portal"]},
        trust_env=False,
        timeout=30,
    ) as browser:
        browser.get("/sign-in")
        form = {"user": account["user"], "password": account["password"]}
        answer = browser.post("/sign-in", data=form)

        assert answer.status_code == HTTPStatus.SEE_OTHER
        assert browser.get("/").status_code == HTTPStatus.OK
