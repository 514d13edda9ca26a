import socket
import ssl
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from immuni.clock import ManualClock, SystemClock
from immuni.deployment.certificates import InternalCertificates, ensure_certificates
from immuni.deployment.certification import CertificateFiles

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def client_context(authority: Path, client: CertificateFiles | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority))
    # What Python turns on by itself from 3.13.
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if client is not None:
        context.load_cert_chain(client.certificate, client.key)
    return context


def server_context(files: InternalCertificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server.certificate, files.server.key)
    context.load_verify_locations(files.authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def exchange(server: ssl.SSLContext, client: ssl.SSLContext, *, name: str) -> bytes:
    """Connect over TLS and return what the server says to a client that it accepts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            try:
                with server.wrap_socket(connection, server_side=True) as secured:
                    secured.sendall(b"welcome")
            except (ssl.SSLError, ConnectionError):
                connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname()) as connection,
                client.wrap_socket(connection, server_hostname=name) as secured,
            ):
                return secured.recv(16)
        finally:
            thread.join()


@pytest.mark.parametrize("name", ["otp.localhost", "localhost", "127.0.0.1"])
def test_the_portal_and_the_otp_service_accept_each_other(tmp_path: Path, name: str) -> None:
    files = ensure_certificates(tmp_path / "certificates", clock=SystemClock())
    client = client_context(files.authority.certificate, files.client)

    assert exchange(server_context(files), client, name=name) == b"welcome"


def test_a_client_without_certificate_is_refused(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "certificates", clock=SystemClock())
    client = client_context(files.authority.certificate, None)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        exchange(server_context(files), client, name="otp.localhost")


def test_a_client_of_another_authority_is_refused(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "ours", clock=SystemClock())
    others = ensure_certificates(tmp_path / "theirs", clock=SystemClock())
    client = client_context(files.authority.certificate, others.client)

    with pytest.raises((ssl.SSLError, ConnectionError)):
        exchange(server_context(files), client, name="otp.localhost")


def test_the_portals_certificate_does_not_pass_for_the_servers(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path / "certificates", clock=SystemClock())
    impostor = server_context(files)
    impostor.load_cert_chain(files.client.certificate, files.client.key)
    client = client_context(files.authority.certificate, files.client)

    with pytest.raises(ssl.SSLCertVerificationError):
        exchange(impostor, client, name="portal.localhost")


def test_every_file_is_its_owners_only(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    ensure_certificates(folder, clock=ManualClock(START))

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_what_is_good_is_left_alone(tmp_path: Path) -> None:
    clock = ManualClock(START)
    ensure_certificates(tmp_path, clock=clock)
    before = contents(tmp_path)

    clock.advance(timedelta(days=200))
    ensure_certificates(tmp_path, clock=clock)

    assert contents(tmp_path) == before


def test_a_certificate_is_renewed_long_before_it_ends_by_the_same_authority(tmp_path: Path) -> None:
    clock = ManualClock(START)
    ensure_certificates(tmp_path, clock=clock)
    before = contents(tmp_path)

    clock.advance(timedelta(days=220))
    ensure_certificates(tmp_path, clock=clock)

    after = contents(tmp_path)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"server.pem", "server.key", "client.pem", "client.key"}


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    clock = ManualClock(START)
    ensure_certificates(tmp_path, clock=clock)
    before = contents(tmp_path)

    clock.advance(timedelta(days=3650 - 400))
    ensure_certificates(tmp_path, clock=clock)

    assert not set(before.values()) & set(contents(tmp_path).values())


def test_certificates_from_a_clock_that_was_ahead_are_replaced(tmp_path: Path) -> None:
    ensure_certificates(tmp_path, clock=ManualClock(START + timedelta(days=100)))
    before = contents(tmp_path)

    ensure_certificates(tmp_path, clock=ManualClock(START))

    assert not set(before.values()) & set(contents(tmp_path).values())


def remove(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [remove, truncate, empty])
@pytest.mark.parametrize("name", ["authority", "server", "client"])
@pytest.mark.parametrize("suffix", ["pem", "key"])
def test_a_damaged_or_missing_file_is_made_anew(
    tmp_path: Path, name: str, suffix: str, damage: Callable[[Path], None]
) -> None:
    ensure_certificates(tmp_path, clock=SystemClock())
    damage(tmp_path / f"{name}.{suffix}")

    files = ensure_certificates(tmp_path, clock=SystemClock())

    client = client_context(files.authority.certificate, files.client)
    assert exchange(server_context(files), client, name="otp.localhost") == b"welcome"
