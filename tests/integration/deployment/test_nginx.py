"""nginx as production begins with it: `deploy/nginx/immuni.conf`, with other ports and files."""

import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from immuni.deployment.nginx import NginxMissingError, find_nginx
from immuni.deployment.nginx_site import production
from tests.contract.tls import make_certificate
from tests.nginx import running
from tests.running import a_free_base_port

pytestmark = pytest.mark.anyio

HOSTS = ["get.example.org", "upload.example.org", "analytics.example.org"]


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    port = a_free_base_port()
    listen = f"127.0.0.1:{port} ssl"
    example = production()
    front = replace(
        example,
        sites=[
            replace(site, listen=[listen], certificate=make_certificate(tmp_path))
            for site in example.sites
        ],
        cache=tmp_path / "chunks",
        failures_log=tmp_path / "failures.log",
        refused_on=[f"{listen} default_server"],
    )
    async with running(front, tmp_path, port):
        yield port


def a_context(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def ask(
    port: int, host: str, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    """Send a request, and return the connection when its answer has begun."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    try:
        secured = context.wrap_socket(plain, server_hostname=host, session=session)
    except ssl.SSLError:
        plain.close()
        raise
    secured.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert secured.recv(12) == b"HTTP/1.1 404"
    return secured


async def test_each_host_answers_for_its_own_paths_only(port: int) -> None:
    # Nobody is behind: what is passed on is told from what is not by who refuses it.
    paths = {
        "/v1/settings": "get.example.org",
        "/v1/keys/index": "get.example.org",
        "/v1/keys/1": "get.example.org",
        "/v1/ingestion/upload": "upload.example.org",
        "/v1/analytics/apple/token": "analytics.example.org",
        "/readyz": None,
    }
    seen = {}
    async with httpx.AsyncClient(verify=a_context(), trust_env=False) as client:
        for path in paths:
            for host in HOSTS:
                answer = await client.get(
                    f"https://127.0.0.1:{port}{path}",
                    headers={"host": host},
                    extensions={"sni_hostname": host},
                )
                seen[path, host] = answer.status_code

    assert seen == {
        (path, host): 503 if host == owner else 404
        for path, owner in paths.items()
        for host in HOSTS
    }


async def test_another_name_is_refused_in_the_handshake(port: int) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        ask(port, "elsewhere.example.org", a_context())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_phone_is_not_known_again_by_its_session(
    port: int, version: ssl.TLSVersion
) -> None:
    context = a_context(version)
    with ask(port, HOSTS[1], context) as first:
        assert first.selected_alpn_protocol() == "http/1.1"
        session = first.session
    with ask(port, HOSTS[1], context, session) as second:
        assert not second.session_reused


def test_without_nginx_one_line_tells_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(NginxMissingError, match="sudo apt-get install nginx") as missing:
        find_nginx([str(tmp_path)])
    assert "\n" not in str(missing.value)
